"""The stand-in of Slack's Web API: checks token and scope, then runs the method. Called by the gate."""

from collections.abc import Callable
from dataclasses import dataclass

from discubot_pipeline.sandbox.faults import Fault
from discubot_pipeline.sandbox.slack import args as arg
from discubot_pipeline.sandbox.slack import reading, writing
from discubot_pipeline.sandbox.slack.args import Refusal
from discubot_pipeline.sandbox.slack.events import Announcer
from discubot_pipeline.sandbox.slack.state import SlackState, Workspace
from discubot_pipeline.sandbox.wire import Answer, Call, Json, html

POST = "chat.postMessage"
CONNECT = "apps.connections.open"


@dataclass(frozen=True)
class Method:
    """A method, the scope it needs and whether it reads JSON bodies."""

    run: Callable[[Workspace, Json], Json]
    scope: str | None = None
    writes: bool = False


METHODS: dict[str, Method] = {
    "auth.test": Method(reading.auth_test),
    "team.info": Method(reading.team_info, "team:read"),
    "conversations.replies": Method(reading.replies),
    "conversations.history": Method(reading.history),
    "conversations.info": Method(reading.conversation),
    "conversations.list": Method(reading.conversations),
    "chat.getPermalink": Method(reading.permalink),
    "reactions.get": Method(reading.reactions, "reactions:read"),
    "users.info": Method(reading.user, "users:read"),
    "users.list": Method(reading.users, "users:read"),
    "reactions.add": Method(writing.react, "reactions:write", writes=True),
    "reactions.remove": Method(writing.unreact, "reactions:write", writes=True),
}
POSTING = Method(lambda workspace, args: {}, "chat:write", writes=True)


class SlackApi:
    """Answers Web API calls from the state and announces what the bot posts."""

    def __init__(self, state: SlackState, announcer: Announcer, base_url: str) -> None:
        self.state = state
        self.announcer = announcer
        self._socket_url = f"ws{base_url.removeprefix('http')}/slack/socket"

    def answer(self, call: Call) -> Answer:
        """Carry a call out; application errors are HTTP 200."""
        name = call.path.removeprefix("/")
        if name == CONNECT:
            return Answer(200, self._connect(call))
        method = POSTING if name == POST else METHODS.get(name)
        if method is None:
            return Answer(200, {"ok": False, "error": "unknown_method", "req_method": name})
        headers: dict[str, str] = {}
        try:
            args = arg.arguments(call, takes_json=method.writes)
            workspace = self._workspace(call, args)
            headers = {"x-oauth-scopes": ",".join(workspace.scopes)}
            body = {"ok": True, **self._run(name, method, workspace, args)}
        except Refusal as refusal:
            body = refusal.body
        return Answer(200, _warned(call, method, body), headers)

    def _workspace(self, call: Call, args: Json) -> Workspace:
        token = call.bearer or str(args.get("token", ""))
        if not token:
            raise Refusal("not_authed")
        workspace = self.state.by_token(token)
        if workspace is None:
            raise Refusal("invalid_auth")
        return workspace

    def _connect(self, call: Call) -> Json:
        """Give an app, by its app-level token, the address of a socket, good for one connection."""
        workspace = self.state.by_app_token(call.bearer)
        if workspace is None:
            is_bot = self.state.by_token(call.bearer) is not None
            return {"ok": False, "error": "not_allowed_token_type" if is_bot else "invalid_auth"}
        ticket = self.announcer.courier.sockets.ticket(workspace)
        return {"ok": True, "url": f"{self._socket_url}?ticket={ticket}&app_id={workspace.app_id}"}

    def _run(self, name: str, method: Method, workspace: Workspace, args: Json) -> Json:
        if method.scope and method.scope not in workspace.scopes:
            raise arg.missing_scope(workspace, method.scope)
        if name == POST:
            return self._post(workspace, args)
        body = method.run(workspace, args)
        if method.writes:
            self.state.changed()
        return body

    def _post(self, workspace: Workspace, args: Json) -> Json:
        body, channel, message = writing.post(workspace, args)
        self.state.changed()
        self.announcer.posted(workspace, channel, message)
        return body

    def spoil(self, fault: Fault, done: Answer | None) -> Answer:
        """Say a fault in Slack's words."""
        if fault.kind == "ratelimit":
            wait = 1 if fault.retry_after is None else fault.retry_after
            return Answer(429, {"ok": False, "error": "ratelimited"}, {"retry-after": str(wait)})
        if fault.kind == "error":
            return Answer(fault.status or 200, {"ok": False, "error": fault.error})
        if fault.kind == "status":
            return Answer(fault.status or 500, {"ok": False, "error": fault.error or "internal_error"})
        return html(fault.status or 503)

    def error(self, answer: Answer) -> str | None:
        """Return the code of a refused call."""
        if isinstance(answer.body, str):
            return "html" if answer.status else "dropped"
        code = answer.body.get("error")
        return None if code is None else str(code)

    def summary(self, call: Call) -> str:
        """Describe a call by its most telling arguments."""
        try:
            args = arg.arguments(call, takes_json=True)
        except Refusal as refusal:
            return str(refusal)
        keys = ("channel", "thread_ts", "ts", "timestamp", "name", "user", "cursor", "text")
        return " ".join(f"{key}={str(args[key])[:80]}" for key in keys if args.get(key))


def _warned(call: Call, method: Method, body: Json) -> Json:
    """Add Slack's warning about a JSON body that does not name its charset."""
    kind = call.headers.get("content-type", "").lower().replace(" ", "")
    if not (method.writes and kind.startswith("application/json")) or "charset=" in kind:
        return body
    metadata = {**body.get("response_metadata", {}), "warnings": ["missing_charset"]}
    return body | {"warning": "missing_charset", "response_metadata": metadata}
