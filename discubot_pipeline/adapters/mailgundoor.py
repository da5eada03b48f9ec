"""Mailgun's inbound route: proves that a request is Mailgun's, and its mail Figma's. The receiver calls it.

Facts: https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/receive-http and
/user-manual/webhooks/securing-webhooks. The signature covers a timestamp and a token only, not the body, and retries
send it again for about eight hours: a token proves one content, however often, and no other.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from discubot_pipeline.adapters import figmalinks
from discubot_pipeline.adapters.figmamail import Letter, is_about_comments, is_from_figma
from discubot_pipeline.adapters.forms import Form, read_form
from discubot_pipeline.domain.config import MailgunCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, SourceType
from discubot_pipeline.domain.errors import Permanent

MAX_BODY: Final = 5 * 1024 * 1024
LONGEST_TEXT: Final = 300_000
OLDEST: Final = timedelta(hours=9)
AHEAD: Final = timedelta(minutes=5)
TOKEN = re.compile(r"[!-~]{1,200}")
DKIM: Final = "X-Mailgun-Dkim-Check-Result"
SIGNED_BY = re.compile(r"(?:^|;)\s*d\s*=\s*([^;\s]+)")


class MailgunDoor:
    """The `Door` of Mailgun. It knows the links that Figma's own door knows."""

    kind = SourceType.MAILGUN
    max_body = MAX_BODY

    def __init__(self, base_url: str = figmalinks.API) -> None:
        self._site = figmalinks.site_of(base_url)

    def verify(self, config: SourceConfig, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Check the signature over timestamp and token; it may be nine hours old, so that Mailgun's retries pass."""
        form = read_form(headers, body)
        stamp, token = form.exact("timestamp"), form.exact("token")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12 and TOKEN.fullmatch(token)):
            raise Permanent("signature", "The form has no timestamp in seconds, or no token.")
        expected = hmac.new(_key(config), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), form.exact("signature").encode(errors="replace")):
            raise Permanent("signature", "The signature is not that of this source's signing key.")
        age = now.timestamp() - int(stamp)
        if not -AHEAD.total_seconds() <= age <= OLDEST.total_seconds():
            raise Permanent("stale", "The request was signed more than nine hours ago, or in the future.")

    def open(self, config: SourceConfig, headers: Mapping[str, str], body: bytes) -> Arrival:
        """Name the mail of a verified form; which thread it is about is found out later, in the run."""
        form = read_form(headers, body)
        token = form.exact("token")
        if not TOKEN.fullmatch(token):
            raise Permanent("malformed", "token: must be 1 to 200 visible ASCII characters.")
        arrival = Arrival(delivery_key=f"{token}:{form.digest}", gesture_key=token, single_use=True)
        letter = letter_of(form)
        reason = reason_of(form, letter)
        if reason is not None:
            return arrival.model_copy(update={"reason": reason})
        thread_id = f"mail:{hashlib.sha256(token.encode()).hexdigest()[:20]}"
        return arrival.model_copy(update={"thread_id": thread_id, "payload": letter.model_dump()})

    def locate(self, config: SourceConfig, url: str) -> str | None:
        """Read the link of a comment in Figma."""
        return figmalinks.thread_of(url, self._site)


def letter_of(form: Form) -> Letter:
    """Take the parts of a mail that we read. MIME headers come as fields beside Mailgun's own: the last one counts."""
    parts = {
        "sender": form.exact("sender"),
        "author": form.any_case("from"),
        "subject": form.any_case("subject"),
        "plain": form.exact("body-plain"),
        "stripped": form.exact("stripped-text"),
        "html": form.exact("body-html") or form.exact("stripped-html"),
    }
    return Letter(**{name: text.replace("\0", "")[:LONGEST_TEXT] for name, text in parts.items()})


def reason_of(form: Form, letter: Letter) -> str | None:
    """Say why a mail asks for nothing; None when it is Figma's and about comments."""
    if not is_from_figma(letter.author):
        return "unknown_sender"
    if not has_dkim(form):
        return "dkim"
    if not is_about_comments(letter):
        return "not_about_comments"
    return None if letter.plain.strip() or letter.stripped.strip() or letter.html.strip() else "no_text"


def has_dkim(form: Form) -> bool:
    """Tell whether Mailgun found the mail signed, and not just by anybody: one signature must be of Figma's domain."""
    headers = mime_headers(form)
    results = [*form.all(DKIM), *headers.get(DKIM.casefold(), [])]
    signatures = headers.get("dkim-signature", [])
    signers = [found[1] for value in signatures if (found := SIGNED_BY.search(value))]
    is_ours = any(f".{signer.casefold()}".endswith(f".{figmalinks.DOMAIN}") for signer in signers)
    has_passed = bool(results) and all(result.strip().casefold() == "pass" for result in results)
    return has_passed and (is_ours or not signatures)


def mime_headers(form: Form) -> dict[str, list[str]]:
    """Read the mail's own headers, which Mailgun sends as a JSON list of pairs."""
    try:
        pairs = json.loads(form.exact("message-headers") or "[]")
    except (ValueError, RecursionError):
        return {}
    found: dict[str, list[str]] = {}
    for pair in pairs if isinstance(pairs, list) else []:
        if isinstance(pair, list) and len(pair) == 2:
            found.setdefault(str(pair[0]).casefold(), []).append(str(pair[1]))
    return found


def _key(config: SourceConfig) -> bytes:
    own = config.credentials
    key = own.signing_key.get_secret_value().strip() if isinstance(own, MailgunCredentials) else ""
    if not key:
        raise Permanent("signature", "This source has no signing key: enter Mailgun's HTTP webhook signing key.")
    return key.encode()
