"""The word by which people call the bot where a tool has no mentions of bots. Used by `notionsource.py`."""

import re

DEFAULT = "discubot"


class Keyword:
    """A word, with or without `@`, in any case, that stands by itself: no part of a word, address or path."""

    def __init__(self, word: str | None) -> None:
        core = re.escape((word or DEFAULT).strip().lstrip("@"))
        called = rf"(?<![\w@/.-])@?{core}(?!\w|[.@/-]\w)"
        self._call = re.compile(called, re.IGNORECASE)
        self._cut = re.compile(rf"[ \t]*{called}[:,]?[ \t]*", re.IGNORECASE)

    def calls(self, text: str) -> bool:
        """Tell whether a text calls the bot."""
        return self._call.search(text) is not None

    def cut(self, text: str) -> str:
        """Take the calls out of a text, each with its colon or comma and the gap it leaves."""
        return self._cut.sub(_gap, text).strip()


def _gap(found: re.Match[str]) -> str:
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    return "" if before in {"", "\n"} or after in {"", "\n", ".", "!", "?", ";", ")"} else " "
