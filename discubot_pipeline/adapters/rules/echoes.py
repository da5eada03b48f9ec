"""Hears a verb come back: "will check after lunch" takes the check that was asked for, "imported" closes the import."""

import re

from discubot_pipeline.adapters.rules.leads import strip_leads
from discubot_pipeline.adapters.rules.requests import first_word
from discubot_pipeline.adapters.rules.sentences import Sentence
from discubot_pipeline.adapters.rules.verbs import base_of, base_of_any

LONGEST = 14

_PROMISED = re.compile(
    r"(?:(?:i['’]?ll|i will|will|i['’]m|i am|gonna) )?(?P<verb>[a-z-]+)(?: (?:it|that|this|them|those|these))?"
    r"(?: (?:in|on|after|at|by|before|later|then|soon|tonight|tomorrow|today|when|once|as|first|now|right|asap|"
    r"straight|"
    r"for|during|next|this|early)\b.*)?\W*",
    re.IGNORECASE,
)


def promised_verb(sentence: Sentence) -> str | None:
    """Give the verb of a promise that names nothing else: "will check after lunch", "calling at 2"."""
    text = _bare(sentence)
    match = _PROMISED.fullmatch(text) if text else None
    if not match or sentence.is_question:
        return None
    verb = match["verb"].casefold()
    is_marked = match.start("verb") > 0 or verb.endswith("ing")
    return base_of_any(verb) if is_marked else None


def finished_verb(sentence: Sentence) -> str | None:
    """Give the verb that a report opens with: "imported, and it works"."""
    text = _bare(sentence)
    word = first_word(text or "")
    if not text or word.endswith("ing") or sentence.is_question:
        return None
    base = base_of(word)
    return base if base and base != word else None


def _bare(sentence: Sentence) -> str | None:
    text, _ = strip_leads(sentence, sentence.text)
    return text if len(text.split()) <= LONGEST else None
