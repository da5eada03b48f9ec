"""Says what a thread is about in its own sentences: how it opens, what is asked, what was decided."""

import re
from collections.abc import Sequence

from discubot_pipeline.adapters.rules.lexicon import lexicon
from discubot_pipeline.adapters.rules.sentences import Sentence, without_emoji
from discubot_pipeline.adapters.rules.titles import content_words
from discubot_pipeline.domain.analysis import Sentiment

LONGEST = 200
MOST_POINTS = 5
FEWEST_WORDS = 3

_DECIDED = re.compile(
    r"\b(?:decided|agreed|decision|let's go with|we(?:'ll| will) go with|going with|settled on|the plan is|"
    r"conclusion|approved|consensus|we(?:'ll| will) (?:use|keep|drop|ship|release)|turned out|root cause|"
    r"the (?:fix|solution|answer|problem|cause) (?:is|was))\b",
    re.IGNORECASE,
)
_FIGURE = re.compile(
    r"(?<![\w.,])(?:[$€£]\d|\d[\d.,]*(?: ?%| ?(?:percent|users|hours|days|weeks|euros?|dollars|ms|seconds|"
    r"minutes|k)\b))",
    re.I,
)
_LINK = re.compile(r"https?://")
_POSITIVE = lexicon(
    """
    amazing appreciate awesome beautiful brilliant clean congrats congratulations cool excellent excited
    fantastic glad good great happy helpful impressive kudos love loved nice perfect pleased solved superb
    sweet thank thanks thx wonderful yay 👍 🎉 ❤ 😀 😃 😄 😊 🙌 🚀 👏 danke merci gracias super toll
    """
)
_NEGATIVE = lexicon(
    """
    angry annoyed annoying awful bad blocked broken bug complain confused confusing crash crashes
    disappointed disappointing error fail failed failing fails frustrated frustrating hate horrible mess
    missing pain painful problem ridiculous sad slow stuck terrible ugly unacceptable unhappy unfortunately
    unusable upset useless worse worst wrong 👎 😠 😡 😞 😢 😭
    """
)
_NEGATIONS = lexicon(
    """
    not no never isn't wasn't don't doesn't didn't can't won't hardly without nor isn’t don’t
    """
)
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[\u2600-\u27bf\U0001f300-\U0001faff]")
MOST_TOKENS = 20_000
CLEAR_MOOD = 0.25


def summarize(sentences: Sequence[Sentence], asked: Sequence[Sentence], fallback: str) -> str:
    """Choose up to three sentences of the thread: its opening, its first ask, its last decision."""
    telling = [sentence for sentence in sentences if _tells(sentence)]
    if not telling:
        return without_emoji(fallback)[:LONGEST]
    decided = [sentence for sentence in telling if _DECIDED.search(sentence.text)]
    chosen = {telling[0].order: telling[0]}
    for sentence in (*asked[:1], *decided[-1:]):
        chosen.setdefault(sentence.order, sentence)
    shown = [chosen[order] for order in sorted(chosen)[:3]]
    return " ".join(f"{sentence.message.author.name}: {_ended(quoted(sentence))}" for sentence in shown)


def key_points(sentences: Sequence[Sentence], asked: Sequence[Sentence]) -> tuple[str, ...]:
    """Choose up to five sentences: decisions before asks before figures before links."""
    ranked: list[Sentence] = [sentence for sentence in sentences if _tells(sentence) and _DECIDED.search(sentence.text)]
    ranked.extend(asked)
    ranked.extend(sentence for sentence in sentences if _tells(sentence) and _FIGURE.search(sentence.text))
    ranked.extend(
        sentence
        for sentence in sentences
        if _tells(sentence) and any(_LINK.match(sentence.show(char)) for char in sentence.text)
    )
    unique = {sentence.order: sentence for sentence in ranked}
    chosen = sorted([*unique.values()][:MOST_POINTS], key=lambda sentence: sentence.order)
    return tuple(dict.fromkeys(quoted(sentence) for sentence in chosen))


def sentiment_of(texts: Sequence[str]) -> Sentiment:
    """Weigh friendly words against unfriendly ones."""
    words = [word.casefold() for text in texts for word in _TOKEN.findall(text)][:MOST_TOKENS]
    good = bad = 0
    for place, word in enumerate(words):
        is_turned = not _NEGATIONS.isdisjoint(words[max(0, place - 2) : place])
        good += (word in _POSITIVE and not is_turned) or (word in _NEGATIVE and is_turned)
        bad += (word in _NEGATIVE and not is_turned) or (word in _POSITIVE and is_turned)
    balance = (good - bad) / (good + bad) if good + bad else 0.0
    if abs(balance) <= CLEAR_MOOD:
        return Sentiment.NEUTRAL
    return Sentiment.POSITIVE if balance > 0 else Sentiment.NEGATIVE


def quoted(sentence: Sentence) -> str:
    """Give a sentence's own words, cut at a word's end."""
    text = sentence.show()
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def _ended(text: str) -> str:
    text = text.rstrip(" :")
    return text if text[-1:] in (*".!?…",) else text + "."


def _tells(sentence: Sentence) -> bool:
    return len(sentence.text.split()) >= FEWEST_WORDS and bool(content_words(sentence.text))
