"""The stand-in of Notion's API: token, version, rate and size first, then the endpoint. Called by the
gate.
"""

import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from discubot_pipeline.sandbox.faults import Fault
from discubot_pipeline.sandbox.notion import comments, endpoints, shapes
from discubot_pipeline.sandbox.notion.announcer import Announcer
from discubot_pipeline.sandbox.notion.checks import Refusal, body_of
from discubot_pipeline.sandbox.notion.shapes import OLD
from discubot_pipeline.sandbox.notion.state import Integration, NotionState, normal_id
from discubot_pipeline.sandbox.notion.visit import Visit
from discubot_pipeline.sandbox.wire import Answer, Call, Json, html

MAX_BODY = 500_000
CODES = {
    400: "validation_error", 401: "unauthorized", 403: "restricted_resource", 404: "object_not_found",
    409: "conflict_error", 500: "internal_server_error", 502: "bad_gateway", 503: "service_unavailable",
    504: "gateway_timeout", 529: "service_overload",
}  # fmt: skip
SAVED = "The change was saved, but the response could not be built in time."
GUIDANCE = ["Read the object again to confirm the saved change.", "Do not repeat the write."]


@dataclass(frozen=True)
class Endpoint:
    """A verb and path, what it does, and in which versions: all, only the oldest, or all but the oldest."""

    verb: str
    path: str
    run: Callable[[Visit], Json]
    versions: tuple[str, ...] = shapes.VERSIONS


ENDPOINTS = (
    Endpoint("GET", "/users/me", endpoints.me),
    Endpoint("GET", "/users", endpoints.users),
    Endpoint("GET", "/users/{id}", endpoints.user),
    Endpoint("GET", "/databases/{id}", endpoints.database),
    Endpoint("POST", "/databases/{id}/query", endpoints.query_database, (OLD,)),
    Endpoint("GET", "/data_sources/{id}", endpoints.data_source, shapes.VERSIONS[1:]),
    Endpoint("POST", "/data_sources/{id}/query", endpoints.query_data_source, shapes.VERSIONS[1:]),
    Endpoint("POST", "/pages", endpoints.create_page),
    Endpoint("GET", "/pages/{id}", endpoints.page),
    Endpoint("PATCH", "/pages/{id}", endpoints.update_page),
    Endpoint("GET", "/blocks/{id}", endpoints.block),
    Endpoint("GET", "/blocks/{id}/children", endpoints.children),
    Endpoint("PATCH", "/blocks/{id}/children", endpoints.append),
    Endpoint("POST", "/comments", comments.create),
    Endpoint("GET", "/comments", comments.listed),
    Endpoint("GET", "/comments/{id}", comments.show),
    Endpoint("POST", "/search", endpoints.search),
)


class NotionApi:
    """Answers API calls from the state, and announces what they changed."""

    def __init__(self, state: NotionState, announcer: Announcer) -> None:
        self.state = state
        self.announcer = announcer

    def answer(self, call: Call) -> Answer:
        """Carry a call out."""
        try:
            body = self._run(call)
        except Refusal as refusal:
            return failure(refusal.status, refusal.code, refusal.message, **refusal.additional)
        self.announcer.announce(self.state)
        return Answer(200, body | {"request_id": str(uuid.uuid4())})

    def _run(self, call: Call) -> Json:
        who = self._integration(call)
        version = _version(call)
        self._spend(who)
        endpoint, id = _endpoint(call, version)
        if len(call.body) > MAX_BODY:
            raise Refusal(413, "validation_error", f"Request body too large, should be ≤ {MAX_BODY} bytes.")
        body = body_of(call.body) if call.verb != "GET" else {}
        return endpoint.run(Visit(self.state, who, version, id, body, call))

    def _integration(self, call: Call) -> Integration:
        who = self.state.integrations.get(call.bearer)
        if who is None:
            raise Refusal(401, "unauthorized", "API token is invalid.")
        return who

    def _spend(self, who: Integration) -> None:
        """Count the call in the connection's fixed window; refuse when the window is used up."""
        limits, now = self.state.limits, time.time()
        window = int(now // limits.window_seconds)
        if who.window != window:
            who.window, who.used = window, 0
        who.used += 1
        if who.used > limits.requests:
            wait = max(1, round((window + 1) * limits.window_seconds - now + 0.5))
            raise limited(wait)

    def spoil(self, fault: Fault, done: Answer | None) -> Answer:
        """Say a fault in Notion's words."""
        if fault.kind in ("ratelimit", "blocked_429"):
            return _limited_answer(fault)
        if fault.kind == "saved_503" and done is not None and isinstance(done.body, dict):
            more = {
                "elapsed_ms": "55012",
                "deadline_ms": "55000",
                **_committed(done.body),
                "retry_guidance": GUIDANCE,
            }
            return failure(503, "service_unavailable", SAVED, **more)
        if fault.kind == "html":
            return html(fault.status or 502)
        status = fault.status or (503 if fault.kind == "saved_503_silent" else 500 if fault.kind == "status" else 400)
        return failure(status, fault.error or CODES.get(status, "internal_server_error"), "Sandbox fault.")

    def error(self, answer: Answer) -> str | None:
        """Return the code of a refused call."""
        if isinstance(answer.body, str):
            return "html" if answer.status else "dropped"
        return str(answer.body["code"]) if answer.body.get("object") == "error" else None

    def summary(self, call: Call) -> str:
        """Describe a call: the title of a page, how many blocks, the filter."""
        try:
            body = body_of(call.body)
        except Refusal:
            return "no JSON"
        parts = [f"title={_title(body)}"] if _title(body) else []
        parts += [f"children={len(body['children'])}"] if isinstance(body.get("children"), list) else []
        parts += [f"{key}={str(body[key])[:120]}" for key in ("filter", "in_trash", "start_cursor") if key in body]
        return " ".join(parts)


def _version(call: Call) -> str:
    version = call.headers.get("notion-version")
    if not version:
        raise Refusal(400, "missing_version", "Notion-Version header should be defined, instead was `undefined`.")
    if version not in shapes.VERSIONS:
        known = ", ".join(f'"{v}"' for v in shapes.VERSIONS)
        words = f"Notion-Version header failed validation: should be one of {known}, instead was `{version}`."
        raise Refusal(400, "missing_version", words)
    return version


def _endpoint(call: Call, version: str) -> tuple[Endpoint, str]:
    for endpoint in ENDPOINTS:
        pattern = endpoint.path.replace("{id}", "([^/]+)")
        match = re.fullmatch(pattern, call.path)
        if match and endpoint.verb == call.verb and version in endpoint.versions:
            return endpoint, _path_id(match)
    raise Refusal(400, "invalid_request_url", "Invalid request URL.")


def _path_id(match: re.Match[str]) -> str:
    if not match.groups():
        return ""
    id = normal_id(match.group(1))
    if id is None:
        words = f'path failed validation: path.id should be a valid uuid, instead was `"{match.group(1)}"`.'
        raise Refusal(400, "validation_error", words)
    return id


def failure(status: int, code: str, message: str, **additional: object) -> Answer:
    """Write an error body."""
    body: Json = {"object": "error", "status": status, "code": code, "message": message}
    if additional:
        body["additional_data"] = additional
    wait = additional.get("retry_after") if status == 429 else None
    headers = {"retry-after": str(wait)} if wait is not None else {}
    return Answer(status, body | {"request_id": str(uuid.uuid4())}, headers)


def limited(wait: int, reason: str = "public_api_request_rate_limit") -> Refusal:
    """Refuse because a limit is used up; waits are strings in the body."""
    return Refusal(429, "rate_limited", "You have been rate limited.", rate_limit_reason=reason, retry_after=str(wait))


def _limited_answer(fault: Fault) -> Answer:
    if fault.kind == "blocked_429":
        words = "Requests of this integration are blocked."
        return failure(429, "rate_limited", words, rate_limit_reason="public_api_request_blocked")
    wait = 12 if fault.retry_after is None else fault.retry_after
    refusal = limited(wait, fault.error or "public_api_request_rate_limit")
    return failure(refusal.status, refusal.code, refusal.message, **refusal.additional)


def _committed(body: Json) -> Json:
    """Name what a write has saved: a page, or the blocks below a parent."""
    if body["object"] != "list":
        return {"committed_resource_id": body["id"]}
    parent = body["results"][0]["parent"] if body["results"] else {}
    id = parent.get("page_id") or parent.get("block_id")
    return {"committed_resource_id": id, "committed_child_ids": [item["id"] for item in body["results"]]}


def _title(body: Json) -> str:
    """Find the title that a body sets, whatever its property is called."""
    properties = body.get("properties")
    for value in properties.values() if isinstance(properties, dict) else []:
        pieces = value.get("title") if isinstance(value, dict) else None
        if isinstance(pieces, list):
            return "".join(_words(piece) for piece in pieces)[:120]
    return ""


def _words(piece: object) -> str:
    inner = piece.get("text") if isinstance(piece, dict) else None
    return str(inner.get("content", "")) if isinstance(inner, dict) else ""
