"""Takes secrets out of what is kept of a step. The one place that knows what a secret looks like; called by `store`."""

import re
from typing import Any

REDACTED = "[redacted]"
SECRET_NAMES = (
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "authorization",
    "apikey",
    "accesskey",
    "privatekey",
    "signingkey",
    "secretkey",
    "credential",
    "credentials",
    "cookie",
)
"""Ends of the names of fields whose values are secrets, as in `bot_token` and `x-api-key`; `prompt_tokens` is none."""
SHAPES = (
    r"\bxox[a-z](?:\.xox[a-z])?-[\w-]{4,}",  # Slack
    r"\bxapp-[\w-]{4,}",
    r"\bntn_\w{4,}",  # Notion
    r"\bsecret_[A-Za-z0-9]{20,}",
    r"\bsk-[\w-]{16,}",  # OpenAI, Anthropic
    r"\bfig[dou]_[\w-]{4,}",  # Figma
    r"\bwhsec_[\w+/=-]{4,}",  # Standard Webhooks
    r"\bgh[pousr]_\w{16,}",  # GitHub
    r"\bgithub_pat_\w{16,}",
    r"\bAKIA[0-9A-Z]{16}\b",  # AWS
    r"\bAIza[\w-]{30,}",  # Google
    r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*",  # JWT
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
)
LED = (
    r"\b(?:bearer|authorization:\s*\w+)\s+(?P<bearer>[\w.~+/=-]{8,})",
    r"://[^\s/:@]*:(?P<url>[^\s/@]+)@",
    r"""(?:token|secret|password|passcode|api_?-?key)["']?(?:=|:\s?["'])["']?(?P<named>[^\s"'&,;\[]{4,})""",
)
"""Secrets that are known by what stands before them; what leads to them stays."""
SHAPED = re.compile("|".join(SHAPES))
AFTER = re.compile("|".join(LED), re.IGNORECASE)
BETWEEN = re.compile(r"[^a-z0-9]")


class Redaction:
    """What may not be kept: secrets, and fields of the names that the operator chose."""

    def __init__(self, fields: tuple[str, ...] = ()) -> None:
        self._fields = frozenset(map(plain, fields))

    def value(self, value: Any) -> Any:
        """Give a JSON value without secrets, in the same shape; what is hidden reads `[redacted]`."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.name(key): self._field(key, each) for key, each in value.items()}
            case list() | tuple():
                return [self.value(each) for each in value]
            case _:
                return value

    def text(self, text: str) -> str:
        """Give a text, such as an error or its stack, without secrets."""
        return AFTER.sub(without_secret, SHAPED.sub(REDACTED, text))

    def name(self, name: Any) -> Any:
        """Give the name of a field, which may itself have become a secret's place."""
        return self.text(name) if isinstance(name, str) else name

    def _field(self, name: Any, value: Any) -> Any:
        is_known = value is None or isinstance(value, bool)
        return REDACTED if self.hides(str(name)) and not is_known else self.value(value)

    def hides(self, name: str) -> bool:
        """Say whether a field's value is hidden whatever it is."""
        letters = plain(name)
        return letters in self._fields or letters.endswith(SECRET_NAMES)


def plain(name: str) -> str:
    """Reduce a field's name to its letters, so that apiKey, api_key and API-Key are one."""
    return BETWEEN.sub("", name.lower())


def without_secret(found: re.Match[str]) -> str:
    """Keep what leads to a secret."""
    led = found.lastgroup or 0
    start, end = found.start(led) - found.start(), found.end(led) - found.start()
    return found[0][:start] + REDACTED + found[0][end:]


NO_SECRETS = Redaction()
"""Hides secrets, and no field that somebody chose."""
