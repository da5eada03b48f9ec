"""How people call the bot in a tool that has no mentions of bots. Used by the sources of Figma and Notion."""

import re

from discubot_pipeline.domain.job import Value

DEFAULT = "discubot"


class Callsign(Value):
    """Names that call the bot, in any case, each by itself: no part of a word, address or path."""

    names: tuple[str, ...]

    def is_in(self, text: str) -> bool:
        """Tell whether a text calls the bot."""
        return self._pattern.search(text) is not None

    def without(self, text: str) -> str:
        """Take the calls out of a text, each with its colon or comma and the gap it leaves."""
        return self._pattern.sub(_gap, text).strip()

    @property
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self.names, key=len, reverse=True)
        either = "|".join(re.escape(name) for name in longest_first) or "(?!)"
        called = rf"(?<![\w@/.-])(?:{either})(?!\w|[.@/-]\w)"
        return re.compile(rf"[ \t]*{called}[:,]?[ \t]*", re.IGNORECASE)


def keyword(word: str | None) -> Callsign:
    """Make the callsign of a word, which people write with or without `@`."""
    core = (word or DEFAULT).strip().lstrip("@")
    return Callsign(names=(core, f"@{core}"))


def account(trigger: str | None, handle: str | None = None) -> Callsign:
    """Make the callsign of a trigger, which may be the number of the bot's account, and of the account's name.

    A trigger without `@` is heard with it too, since that is how people mention whom they mean.
    """
    chosen = (trigger or f"@{DEFAULT}").strip()
    words = () if chosen.isdigit() else (chosen, f"@{chosen.lstrip('@')}")
    return Callsign(names=(*words, f"@{handle}") if handle else words)


def _gap(call: re.Match[str]) -> str:
    before, after = call.string[: call.start()][-1:], call.string[call.end() :][:1]
    return "" if before in {"", "\n"} or after in {"", "\n", ".", "!", "?", ";", ")"} else " "
