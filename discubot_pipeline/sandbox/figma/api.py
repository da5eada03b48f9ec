"""The stand-in of Figma's REST API: checks token, tier and rights, then answers. Called by the gate."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from discubot_pipeline.sandbox.faults import Fault
from discubot_pipeline.sandbox.figma import shapes
from discubot_pipeline.sandbox.figma.sending import Sender
from discubot_pipeline.sandbox.figma.state import Account, Comment, FigmaState, File, Token
from discubot_pipeline.sandbox.wire import Answer, Call, Json, html

COMMENTS = r"/files/(?P<key>[^/]+)/comments"
ONE = rf"{COMMENTS}/(?P<id>[^/]+)"
FINE: Json = {"status": 200, "error": False}


class Refusal(Exception):
    """A refused call; most say `err`, those of bad bodies `error` and `message`."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        with_boolean: Json = {"error": True, "status": status, "message": message}
        self.answer = Answer(
            status, with_boolean if status == 400 else {"status": status, "err": message}, headers or {}
        )


@dataclass(frozen=True)
class Request:
    """A call with what its path and body hold; `account` is none for a plan's token."""

    account: Account | None
    file: File | None
    comment: Comment | None
    call: Call

    @property
    def me(self) -> Account:
        """Return the account; plan tokens may do nothing for which one is needed."""
        if self.account is None:
            raise Refusal(403, "This endpoint is not available with a plan access token")
        return self.account

    @property
    def its_file(self) -> File:
        """Return the file of the path."""
        if self.file is None:
            raise Refusal(404, "Not found")
        return self.file

    @property
    def its_comment(self) -> Comment:
        """Return the comment of the path."""
        if self.comment is None:
            raise Refusal(404, "Comment not found")
        return self.comment

    @property
    def body(self) -> Json:
        """Return the JSON body."""
        try:
            parsed: Any = json.loads(self.call.body)
        except (ValueError, RecursionError) as wrong:
            raise Refusal(400, "Request body is not valid JSON") from wrong
        if not isinstance(parsed, dict):
            raise Refusal(400, "Request body must be an object")
        return parsed


class FigmaApi:
    """Answers calls from the state, and lets webhooks tell of what is posted."""

    def __init__(self, state: FigmaState, sender: Sender) -> None:
        self.state = state
        self._sender = sender
        self._routes: list[tuple[str, re.Pattern[str], int, Callable[[Request], Json]]] = [
            ("GET", re.compile("/me"), 3, self._me),
            ("GET", re.compile(r"/files/(?P<key>[^/]+)/meta"), 3, self._meta),
            ("GET", re.compile(COMMENTS), 2, self._list),
            ("POST", re.compile(COMMENTS), 2, self._post),
            ("DELETE", re.compile(ONE), 2, self._delete),
            ("GET", re.compile(f"{ONE}/reactions"), 2, self._reactions),
            ("POST", re.compile(f"{ONE}/reactions"), 2, self._react),
            ("DELETE", re.compile(f"{ONE}/reactions"), 2, self._unreact),
        ]

    def answer(self, call: Call) -> Answer:
        """Carry a call out."""
        try:
            return Answer(200, self._run(call))
        except Refusal as refusal:
            return refusal.answer

    def _run(self, call: Call) -> Json:
        token = self.state.tokens.get(call.bearer)
        if token is None:
            raise Refusal(403, "Invalid token")
        for verb, pattern, tier, run in self._routes:
            found = pattern.fullmatch(call.path)
            if found and verb == call.verb:
                self._spend(token, tier)
                return run(self._request(token, call, found.groupdict()))
        raise Refusal(404, "Not found")

    def _spend(self, token: Token, tier: int) -> None:
        if token.spend(tier):
            return
        kind = "low" if token.seat == "view" else "high"
        raise Refusal(429, "Rate limit exceeded", limits(token.retry_after, kind, token.plan))

    def _request(self, token: Token, call: Call, path: dict[str, str]) -> Request:
        file = self.state.files.get(path.get("key", ""))
        if file and token.account_id and token.account_id not in file.members:
            file = None
        comment = file.comments.get(path.get("id", "")) if file else None
        return Request(self.state.accounts.get(token.account_id or ""), file, comment, call)

    def _me(self, request: Request) -> Json:
        return shapes.user(request.me) | {"email": request.me.email}

    def _meta(self, request: Request) -> Json:
        file = request.its_file
        owner = shapes.user(self.state.accounts[min(file.members)])
        touched = shapes.stamp(datetime.now(UTC))
        about = {"name": file.name, "last_touched_at": touched, "creator": owner, "editorType": "figma", "version": "1"}
        return {"file": about}

    def _list(self, request: Request) -> Json:
        file = request.its_file
        return {"comments": [shapes.comment(self.state, file, one) for one in reversed(file.comments.values())]}

    def _post(self, request: Request) -> Json:
        me, file, body = request.me, request.its_file, request.body
        message, parent = body.get("message"), body.get("comment_id")
        if not isinstance(message, str) or not message.strip():
            raise Refusal(400, "message is required")
        if parent is not None:
            root = file.comments.get(str(parent))
            if root is None:
                raise Refusal(404, "Comment not found")
            if root.parent_id:
                raise Refusal(400, "You cannot reply to a reply: comment_id must be a root comment")
        made = self.state.add_comment(file, me.id, message, parent_id=str(parent) if parent else None)
        self._sender.commented(file, made)
        return shapes.comment(self.state, file, made)

    def _delete(self, request: Request) -> Json:
        if request.its_comment.account_id != request.me.id:
            raise Refusal(403, "You may only delete your own comments")
        del request.its_file.comments[request.its_comment.id]
        self.state.revision += 1
        return FINE

    def _reactions(self, request: Request) -> Json:
        found = [shapes.reaction(self.state, one) for one in request.its_comment.reactions]
        return {"reactions": found, "pagination": {}}

    def _react(self, request: Request) -> Json:
        code, comment = request.body.get("emoji"), request.its_comment
        if not isinstance(code, str) or not shapes.is_shortcode(code):
            raise Refusal(400, "emoji must be the shortcode of an emoji, like :eyes:")
        if any(found[:2] == (request.me.id, code) for found in comment.reactions):
            raise Refusal(400, "You have reacted with this emoji already")
        comment.reactions.append((request.me.id, code, datetime.now(UTC)))
        self.state.revision += 1
        return FINE

    def _unreact(self, request: Request) -> Json:
        code, comment = dict(request.call.query).get("emoji"), request.its_comment
        kept = [one for one in comment.reactions if one[:2] != (request.me.id, code)]
        if len(kept) == len(comment.reactions):
            raise Refusal(404, "Reaction not found")
        comment.reactions = kept
        self.state.revision += 1
        return FINE

    def spoil(self, fault: Fault, done: Answer | None) -> Answer:
        """Say a fault in Figma's words."""
        if fault.kind == "ratelimit":
            wait = 1 if fault.retry_after is None else fault.retry_after
            return Refusal(429, "Rate limit exceeded", limits(wait, fault.error or "high", "pro")).answer
        if fault.kind in ("status", "error"):
            return Refusal(fault.status or 500, fault.error or "Internal server error").answer
        return html(fault.status or 503)

    def error(self, answer: Answer) -> str | None:
        """Return what a refused call says."""
        if isinstance(answer.body, str):
            return "html" if answer.status else "dropped"
        refused = answer.body.get("err") or (answer.body.get("message") if answer.body.get("error") else None)
        return str(refused) if refused else None

    def summary(self, call: Call) -> str:
        """Describe a call by its body."""
        return call.body[:120].decode(errors="replace")


def limits(wait: int, kind: str, plan: str) -> dict[str, str]:
    """Write the headers of a 429."""
    return {
        "retry-after": str(wait), "x-figma-rate-limit-type": kind, "x-figma-plan-tier": plan,
        "x-figma-upgrade-link": "https://www.figma.com/pricing",
    }  # fmt: skip
