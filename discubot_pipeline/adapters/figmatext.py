"""Words in Figma: how the bot's answers are known again, how text is cleaned and compared."""

import hashlib
import re
import unicodedata
from difflib import SequenceMatcher
from typing import Final

from discubot_pipeline.adapters.mrkdwn import emojize, fit

ALIKE: Final = 0.8
SHORTEST_PART: Final = 8
LONGEST: Final = 4000
LONGEST_FUZZY: Final = 1000
REFERENCE = re.compile(r"\n?\[ref ([0-9a-f]{10})\]\s*$")


def cleaned(text: str) -> str:
    """Write emoji as people see them, and leave out what no database stores."""
    return emojize(text.replace("\0", "")).strip()


def signed(text: str, key: str) -> str:
    """Put the key of an answer under it, as a short reference that people may quote."""
    return f"{fit(text, LONGEST)}\n[ref {reference(key)}]"


def reference(key: str) -> str:
    """Shorten the key of an answer."""
    return hashlib.sha256(key.encode()).hexdigest()[:10]


def reference_in(text: str) -> str | None:
    """Read the reference under an answer; None when the text is none of ours."""
    found = REFERENCE.search(text)
    return found[1] if found else None


def has_words(text: str) -> bool:
    """Tell words from what a bare mention leaves: nothing, a question mark, an emoji."""
    return any(letter.isalnum() for letter in text)


def normal(text: str) -> str:
    """Reduce text to what survives mail programs: letters, digits and @, in one case, single blanks between."""
    folded = unicodedata.normalize("NFKC", emojize(text)).casefold()
    return " ".join(re.sub(r"[^\w@]+", " ", folded).split())


def likeness(one: str, other: str) -> float:
    """Say how alike two texts are, from 0 to 1: a quoted part, as mails cut it, counts as the whole."""
    short, long = sorted((normal(one), normal(other)), key=len)
    if not short:
        return 0.0
    if short == long:
        return 1.0
    if len(short) >= SHORTEST_PART and f" {short} " in f" {long} ":
        return 0.9 + 0.1 * len(short) / len(long)
    match = SequenceMatcher(None, short[:LONGEST_FUZZY], long[:LONGEST_FUZZY], autojunk=False)
    return min(match.ratio(), 0.89) if match.quick_ratio() >= ALIKE else 0.0
