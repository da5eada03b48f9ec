"""Who can be meant by a name: the people of the brief and the authors of the thread, nobody else."""

import re
from collections import Counter

from discubot_pipeline.adapters.rules.lexicon import lexicon
from discubot_pipeline.domain.analysis import Brief
from discubot_pipeline.domain.discussion import Author

AMBIGUOUS = lexicon(
    """
    art august bill can chase chip christian dick drew faith frank grace grant guy hope jack joy june lane
    mark may miles page pat rich rob rose royal sky sue summer ted today will wade ward win
    """
)
"""First names that are words too: they count only behind an @."""

MOST = 2000
LONGEST = 80
ANY_HANDLE = r"@\w[\w.-]{0,60}(?<![.-])"


class People:
    """Finds names in text and says whose they are."""

    def __init__(self, brief: Brief) -> None:
        authors = {message.author.id: message.author for message in (*brief.messages, *brief.instructions)}
        bots = {name.casefold().lstrip("@") for name in brief.bot_names}
        self._bots = frozenset(bots | {author.name.casefold() for author in authors.values() if author.is_bot})
        self._handled: dict[str, str] = {}
        self._named: dict[str, str] = {}
        for author in authors.values():
            self._admit(author)
        for name in brief.people:
            self._learn(name, name)
        self._learn_first_names()
        self.pattern = self._compile()

    def whose(self, surface: str) -> str | None:
        """Give the full name behind "@ann" or "Ann"; None for a stranger."""
        name = surface.lstrip("@").casefold()
        return self._handled.get(name)

    def own_name(self, author: Author) -> str | None:
        """Give the name under which an author can own a task; None for a bot."""
        return None if author.is_bot else self._handled.get(author.name.casefold())

    def is_bot(self, surface: str) -> bool:
        """Say whether a name is the bot's own."""
        return surface.lstrip("@").casefold() in self._bots

    def _admit(self, author: Author) -> None:
        if author.is_bot or not self._learn(author.name, author.name):
            return
        if author.handle:
            self._handled.setdefault(author.handle.lstrip("@").casefold(), author.name)

    def _learn(self, surface: str, name: str) -> bool:
        key = surface.casefold()
        if not name.strip() or key in self._bots or len(surface) > LONGEST or len(self._handled) > MOST:
            return False
        self._handled.setdefault(key, name)
        self._named.setdefault(surface, name)
        return True

    def _learn_first_names(self) -> None:
        full = set(self._handled.values())
        counts = Counter(name.split()[0] for name in full if name.split())
        for name in full:
            first = name.split()[0]
            if counts[first] == 1 and len(first) > 1:
                self._learn(first, name)

    def _compile(self) -> re.Pattern[str]:
        called = sorted((*self._handled, *self._bots), key=lambda name: (-len(name), name))
        spoken = sorted(filter(_is_plain_name, self._named), key=lambda name: (-len(name), name))
        behind_at = "|".join(map(re.escape, called)) or r"(?!)"
        alone = "|".join(map(re.escape, spoken)) or r"(?!)"
        return re.compile(rf"(?<![\w@])(?:@(?i:{behind_at})(?!\w)|{ANY_HANDLE}|(?:{alone})(?![\w@]))")


def _is_plain_name(name: str) -> bool:
    return name[:1].isupper() and len(name) > 1 and name.casefold() not in AMBIGUOUS
