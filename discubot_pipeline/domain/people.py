"""Who a person of a source is in Notion: found by e-mail address, by name, or said by a person."""

import unicodedata
from collections.abc import Sequence
from enum import StrEnum

from discubot_pipeline.domain.job import Value

THRESHOLD = 0.8
SAME, CONTAINS, SAME_FIRST, SAME_LAST = 1.0, 0.8, 0.6, 0.5


class Match(StrEnum):
    """How a person of a source was found in Notion; the last two are never overruled by the first two."""

    EMAIL = "email"
    NAME = "name"
    MANUAL = "manual"
    IMPORTED = "imported"


class NotionUser(Value):
    """A person as Notion knows them."""

    id: str
    name: str
    email: str | None = None


class Found(Value):
    """The Notion user that a person is taken for."""

    user: NotionUser
    match: Match
    confidence: float


def spoken(name: str) -> str:
    """Reduce a name or an address to what makes two of them the same."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().lstrip("@ ").split())


def likeness(one: str, other: str) -> float:
    """Say how alike two names are: equal 1, one holding the other's words .8, same first name .6, same last name .5."""
    first, second = spoken(one).split(), spoken(other).split()
    if not first or not second:
        return 0.0
    if first == second:
        return SAME
    if holds(first, second) or holds(second, first):
        return CONTAINS
    if first[0] == second[0]:
        return SAME_FIRST
    return SAME_LAST if first[-1] == second[-1] else 0.0


def holds(words: Sequence[str], some: Sequence[str]) -> bool:
    """Say whether words stand together among others; whole words, so that Ann is not Joanna."""
    return any(words[start : start + len(some)] == some for start in range(len(words)))


def find(name: str, email: str | None, users: Sequence[NotionUser], threshold: float = THRESHOLD) -> Found | None:
    """Find the one Notion user that a person is; None when there is none, or more than one as good."""
    if email:
        same = [user for user in users if user.email and spoken(user.email) == spoken(email)]
        if len(same) == 1:
            return Found(user=same[0], match=Match.EMAIL, confidence=1.0)
    scored = [(likeness(name, user.name), user) for user in users]
    best = max((score for score, _ in scored), default=0.0)
    best_users = [user for score, user in scored if score == best]
    if best < threshold or best == 0.0 or len(best_users) != 1:
        return None
    return Found(user=best_users[0], match=Match.NAME, confidence=best)
