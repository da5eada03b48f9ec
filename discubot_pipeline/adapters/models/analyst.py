"""The analyst that asks a language model. What the model says is held against the thread before anyone sees it."""

import hashlib

from discubot_pipeline.adapters.models.answer import Answer
from discubot_pipeline.adapters.models.choice import Choice
from discubot_pipeline.adapters.models.guards import findings_of
from discubot_pipeline.adapters.models.orders import obeyed
from discubot_pipeline.adapters.models.prompt import prompt_of, system_of
from discubot_pipeline.domain.analysis import Brief, Findings, Judgement

NOTHING_SAID = Judgement(findings=Findings(summary="", confidence=0.0))
GUARDS = "1"
"""Grows when the guards change what they make of an answer."""


class ModelAnalyst:
    """Reads threads with the model of one choice; keeps no connection between two analyses."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self.name = choice.name

    @property
    def fingerprint(self) -> str:
        """Name model, address, prompts, the form of the answer, and the guards."""
        schema = str(Answer.model_json_schema())
        shaping = (self.name, self._choice.url, system_of(self._choice), schema, GUARDS)
        return hashlib.sha256("\0".join(shaping).encode()).hexdigest()

    def analyze(self, brief: Brief) -> Judgement:
        """Ask the model, and take over what the thread bears out. Raises Transient, Permanent or Unusable."""
        if not any(message.text.strip() or message.attachments for message in brief.said):
            return NOTHING_SAID
        # Imported here, not above: most processes never ask a model, and its libraries take a second to load.
        from discubot_pipeline.adapters.models.dialogue import ask

        answer, usage = ask(self._choice, system_of(self._choice), prompt_of(brief), Answer, "findings")
        findings = obeyed(findings_of(answer, brief), brief)
        limited = findings.model_copy(update={"tasks": findings.tasks[: brief.max_tasks]})
        return Judgement(findings=limited, usage=usage)
