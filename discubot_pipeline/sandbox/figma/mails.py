"""Writes the mails that Figma sends about comments, and wraps them as Mailgun's inbound route does. Used by control."""

import hashlib
import hmac
import html
import json
import secrets
from collections.abc import Sequence
from urllib.parse import quote_plus

from discubot_pipeline.sandbox.figma.state import Account, Comment, File

Fields = list[tuple[str, str]]
FOOTER = "You can turn off @mentions and other mails in the mobile app or in your notification settings."


def letter(file: File, told: Sequence[tuple[Comment, Account]], base_url: str, *, with_key: bool = True) -> Fields:
    """Write one mail about some comments: urlencoded fields as Mailgun names them, HTML and text."""
    first, author = told[0]
    verb = "replied to a comment" if first.parent_id else "commented"
    subject = f"{author.handle} {verb} on {file.name}" if len(told) == 1 else f"{len(told)} new comments on {file.name}"
    local = f"comments-{file.key}" if with_key else "comments"
    address, message_id = f"{local}@email.figma.com", f"<{secrets.token_hex(8)}@email.figma.com>"
    link = f"{base_url}/figma/click/{file.key}?root={first.parent_id or first.id}"
    headers = [
        ["Message-Id", message_id], ["From", f"Figma <{address}>"], ["Subject", subject],
        ["DKIM-Signature", "v=1; a=rsa-sha256; d=email.figma.com; s=s1; bh=x; b=x"],
        ["X-Mailgun-Dkim-Check-Result", "Pass"],
    ]  # fmt: skip
    plain = "\n\n".join(f"{who.handle} commented on {file.name}:\n\n{one.message}" for one, who in told)
    return [
        ("recipient", "figma-acme@in.acme.example"), ("sender", f"bounce+{secrets.token_hex(4)}@email.figma.com"),
        ("subject", subject), ("from", f"Figma <{address}>"), ("X-Mailgun-Dkim-Check-Result", "Pass"),
        ("Message-Id", message_id), ("From", f"Figma <{address}>"), ("Subject", subject),
        ("message-headers", json.dumps(headers)),
        ("body-plain", f"{plain}\n\nView in Figma: {link}\n\n{FOOTER}\n"), ("stripped-text", plain),
        ("body-html", _page(file, told, link)),
    ]  # fmt: skip


def _page(file: File, told: Sequence[tuple[Comment, Account]], link: str) -> str:
    rows = "".join(
        f"<tr><td><b>{html.escape(who.handle)}</b> commented on {html.escape(file.name)}</td></tr>"
        f'<tr><td style="font-size:14px">{html.escape(one.message).replace(chr(10), "<br>")}</td></tr>'
        for one, who in told
    )
    style = "<style>@media only screen { td { padding: 0 } } @font-face { font-family: Inter }</style>"
    button = f'<tr><td><a universal="true" href="{html.escape(link)}">View in Figma</a></td></tr>'
    return f"<html><head>{style}</head><body><table>{rows}{button}<tr><td>{FOOTER}</td></tr></table></body></html>"


def signature(key: str, timestamp: str, token: str) -> Fields:
    """Sign a timestamp and a token; the rest of the form is not covered, as at Mailgun."""
    digest = hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    return [("timestamp", timestamp), ("token", token), ("signature", digest)]


def urlencoded(fields: Fields) -> tuple[str, bytes]:
    """Write a form as its content type and body."""
    body = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields)
    return "application/x-www-form-urlencoded", body.encode()


def multipart(fields: Fields) -> tuple[str, bytes]:
    """Write a form with an attachment."""
    boundary = secrets.token_hex(12)
    parts = [f'--{boundary}\r\ncontent-disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields]
    file = 'content-disposition: form-data; name="attachment-1"; filename="a.txt"\r\ncontent-type: text/plain'
    parts.append(f"--{boundary}\r\n{file}\r\n\r\nnot read\r\n--{boundary}--\r\n")
    return f"multipart/form-data; boundary={boundary}", "".join(parts).encode()


FORMS = {"urlencoded": urlencoded, "multipart": multipart}
