"""The peer: a plain keyword rule, the first that anybody would write. Each sentence with a keyword is a task."""

import re

from discubot_pipeline.domain.analysis import Brief, DetectedTask, Findings, Judgement

KEYWORD = re.compile(r"\b(?:i'll|i’ll|please|should|can you|todo)\b", re.IGNORECASE)
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


class KeywordAnalyst:
    """Finds a task in each sentence that says I'll, please, should, can you or todo; knows no field but the title."""

    name = "keywords"
    fingerprint = None

    def analyze(self, brief: Brief) -> Judgement:
        """Analyse."""
        sentences = ((message.id, text.strip()) for message in brief.messages for text in SENTENCE.split(message.text))
        tasks = tuple(
            DetectedTask(title=text[:200], evidence=place) for place, text in sentences if KEYWORD.search(text)
        )
        return Judgement(findings=Findings(summary=brief.title or "-", tasks=tasks))
