"""Slack's text format, both ways: `decode` for the adapter that reads threads, the rest for what it writes.

Facts: https://docs.slack.dev/messaging/formatting-message-text
"""

import re
from collections.abc import Callable

import emoji

NameOf = Callable[[str], str | None]
Rewrite = Callable[[str], str]
CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
TOKEN = re.compile(r"<([^<>\n]+)>")
SHORTCODE = re.compile(r":([a-z0-9_+'\-]+)(?:::skin-tone-([2-6]))?:")
FIRST_TONE = 0x1F3FB
VARIATION = "\ufe0f"
SPECIAL = frozenset({"here", "channel", "everyone"})
LONGEST = 4000
ELLIPSIS = "…"

EMPHASIS = re.compile(r"(?<![\w*_~:])([*_~])(?=\S)([^*_~\n]+)(?<=\S)\1(?![\w*_~:])")
"""Bold, italic or struck words, by Slack's rule: the marks hug their words and stand apart from others."""


def decode(text: str, name_of: NameOf) -> str:
    """Write message text as people read it: names for ids, links with address, Unicode emoji, no entities.

    Marks of bold, italic and struck text go; code stays as it is, but for its entities and the addresses that
    Slack wraps. `name_of` gives the name of a user id, None when it is not known.
    """
    return _alternate(CODE, text, lambda prose: _prose(prose, name_of), _code)


def _alternate(pattern: re.Pattern[str], text: str, outside: Rewrite, inside: Rewrite) -> str:
    """Rewrite what a pattern with one group finds in one way, and what lies between in another."""
    pieces = pattern.split(text)
    return "".join(inside(piece) if index % 2 else outside(piece) for index, piece in enumerate(pieces))


def _code(text: str) -> str:
    return unescape(TOKEN.sub(_as_typed, text))


def _as_typed(token: re.Match[str]) -> str:
    """Give back the address as it was typed: Slack wraps it in code too, and adds the missing scheme."""
    target, _, label = token[1].partition("|")
    return token[0] if target[0] in "@#!" else label or target


def _prose(text: str, name_of: NameOf) -> str:
    return _alternate(TOKEN, text, _plain, lambda token: _token(token, name_of))


def _plain(text: str) -> str:
    return unescape(emojize(EMPHASIS.sub(r"\2", text)))


def _token(token: str, name_of: NameOf) -> str:
    target, _, raw_label = token.partition("|")
    label = _plain(raw_label)
    match target[:1]:
        case "@":
            return "@" + (name_of(target[1:]) or label or target[1:])
        case "#":
            return "#" + (label or target[1:])
        case "!":
            return _special(target[1:], label)
        case _:
            return _link(unescape(target), label)


def _special(target: str, label: str) -> str:
    kind, _, rest = target.partition("^")
    if kind in SPECIAL:
        return f"@{kind}"
    if kind == "subteam":
        return "@" + (label or rest).lstrip("@")
    return label or target


def _link(target: str, label: str) -> str:
    """Give `label (address)`, or the address alone when the label says nothing else."""
    address = target.removeprefix("mailto:").removeprefix("tel:")
    bare = re.sub(r"^https?://", "", address).rstrip("/")
    return address if label.rstrip("/") in {"", address.rstrip("/"), bare} else f"{label} ({address})"


def unescape(text: str) -> str:
    """Turn Slack's three entities into their characters, each once."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape(text: str) -> str:
    """Turn the three characters that Slack gives a meaning into entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def emojize(text: str) -> str:
    """Turn emoji shortcodes into Unicode; a workspace's own emoji stay shortcodes."""
    return SHORTCODE.sub(_emoji, text)


def _emoji(found: re.Match[str]) -> str:
    name, tone = found[1], found[2]
    if (len(name) == 1 or name.isdigit()) and _is_inside_word(found):
        return found[0]
    symbol = next(filter(None, map(_symbol, _spellings(name))), None)
    if symbol is None:
        return found[0]
    return _toned(symbol, int(tone)) if tone else symbol


def _is_inside_word(found: re.Match[str]) -> bool:
    """Tell times and ratios (10:100:1) from emoji whose names are as short."""
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    return before.isalnum() or after.isalnum()


def _spellings(name: str) -> tuple[str, ...]:
    """List the names that the emoji library may know one of Slack's by."""
    plain = name.replace("-", "_")
    return name, plain, re.sub(r"^female_", "woman_", plain), re.sub(r"^male_", "man_", plain)


def _symbol(name: str) -> str | None:
    if name.startswith("flag_") and len(name) == len("flag_xx"):
        name = name.removeprefix("flag_")
        flag = "".join(chr(0x1F1E6 + ord(letter) - ord("a")) for letter in name)
        return flag if emoji.is_emoji(flag) else None
    shortcode = f":{name}:"
    symbol = emoji.emojize(shortcode, language="alias")
    return None if symbol == shortcode else symbol


def _toned(symbol: str, tone: int) -> str:
    """Colour the first person of an emoji, if it has one. Slack counts the tones from 2 to 6."""
    coloured = symbol[0] + chr(FIRST_TONE + tone - 2) + symbol[1:].removeprefix(VARIATION)
    return coloured if emoji.is_emoji(coloured) else symbol


def mentions(text: str, user_id: str) -> bool:
    """Tell whether message text mentions the user."""
    return _mention(user_id).search(text) is not None


def without_mention(text: str, user_id: str) -> str:
    """Take a user's mention out of message text, with its colon or comma and the gap it leaves."""
    return _mention(user_id).sub(_gap, text).strip()


def _mention(user_id: str) -> re.Pattern[str]:
    return re.compile(rf"[ \t]*<@{re.escape(user_id)}(?:\|[^<>]*)?>[:,]?[ \t]*")


def _gap(mention: re.Match[str]) -> str:
    before, after = mention.string[: mention.start()][-1:], mention.string[mention.end() :][:1]
    return "" if before in {"", "\n"} or after in {"", "\n", ".", "!", "?", ";", ")"} else " "


def link(title: str, url: str) -> str:
    """Write a link with its title; a line break or an angle bracket in either cannot end it early."""
    target = escape("".join(url.split())).replace("|", "%7C")
    label = escape(" ".join(title.split()))
    return f"<{target}|{label}>" if label else f"<{target}>"


def fit(text: str, longest: int = LONGEST) -> str:
    """Cut text that is too long for one message at the end of a line, else of a word, never inside a link."""
    if len(text) <= longest:
        return text
    room = longest - len(ELLIPSIS) - 1
    end_of_line = text.rfind("\n", 0, room + 1)
    if end_of_line > room // 2:
        return text[:end_of_line] + "\n" + ELLIPSIS
    return _cut(text, room) + ELLIPSIS


def _cut(text: str, room: int) -> str:
    """Drop the link, else the word, else the entity that the cut falls into."""
    start = text[:room]
    if start.rfind("<") > start.rfind(">"):
        return start[: start.rfind("<")].rstrip()
    words = re.sub(r"\S+$", "", text[: room + 1]).rstrip()
    return words or re.sub(r"&\w*$", "", start)
