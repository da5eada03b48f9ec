"""How Figma writes its things as JSON. Used by the API and by webhooks."""

import re
from datetime import datetime

import emoji

from discubot_pipeline.sandbox.figma.state import Account, Comment, FigmaState, File, Webhook
from discubot_pipeline.sandbox.wire import Json

SHORTCODE = re.compile(r"(:[a-z0-9_+-]+:)")


def stamp(moment: datetime) -> str:
    """Write a moment in UTC with milliseconds."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def user(account: Account) -> Json:
    """Write an account as the API shows it."""
    return {"id": account.id, "handle": account.handle, "img_url": f"https://figma.example/avatars/{account.id}.png"}


def comment(state: FigmaState, file: File, one: Comment) -> Json:
    """Write a comment; roots have a number and a place, replies an empty place of their own."""
    pin: Json = {"node_id": one.node_id, "node_offset": {"x": 10.5, "y": 4}} if one.node_id else {"x": 0, "y": 0}
    return {
        "id": one.id, "client_meta": pin, "file_key": file.key, "parent_id": one.parent_id or "",
        "user": user(state.accounts[one.account_id]), "created_at": stamp(one.created_at),
        "resolved_at": stamp(one.resolved_at) if one.resolved_at else None, "message": one.message,
        "order_id": one.order_id, "reactions": [reaction(state, each) for each in one.reactions], **one.more,
    }  # fmt: skip


def reaction(state: FigmaState, one: tuple[str, str, datetime]) -> Json:
    """Write a reaction."""
    account_id, code, at = one
    return {"user": user(state.accounts[account_id]), "emoji": code, "created_at": stamp(at)}


def fragments(state: FigmaState, message: str) -> list[Json]:
    """Cut a message into text, mentions and emoji, as webhooks carry it."""
    names = {f"@{account.handle}".casefold(): account.id for account in state.mentioned(message)}
    pattern = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    pieces = re.split(f"({pattern})", message, flags=re.IGNORECASE) if pattern else [message]
    found: list[Json] = []
    for piece in pieces:
        if piece.casefold() in names:
            found.append({"mention": names[piece.casefold()]})
        else:
            found += [{"text": part} for part in SHORTCODE.split(piece) if part]
    return found


def event(state: FigmaState, webhook: Webhook, file: File, one: Comment, now: datetime) -> Json:
    """Write the body of a FILE_COMMENT webhook; people have no picture here, as in Figma's own examples."""
    people = [{"id": account.id, "handle": account.handle} for account in state.mentioned(one.message)]
    body: Json = {
        "event_type": "FILE_COMMENT", "passcode": webhook.passcode, "timestamp": stamp(now),
        "webhook_id": webhook.id, "protocol_version": "2", "file_key": file.key, "file_name": file.name,
        "comment_id": one.id, "parent_id": one.parent_id or "", "order_id": one.order_id or "",
        "created_at": stamp(one.created_at), "resolved_at": "", "comment": fragments(state, one.message),
        "mentions": people, "triggered_by": {"id": one.account_id, "handle": state.accounts[one.account_id].handle},
    }  # fmt: skip
    return {key: value for key, value in body.items() if value not in ("", [])} if webhook.is_sparse else body


def is_shortcode(code: object) -> bool:
    """Tell an emoji's shortcode, with its colons and perhaps a skin tone."""
    if not isinstance(code, str):
        return False
    name = re.sub(r"::skin-tone-[2-6]:$", ":", code)
    return SHORTCODE.fullmatch(name) is not None and emoji.emojize(name, language="alias") != name
