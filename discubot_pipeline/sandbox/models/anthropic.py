"""How Anthropic's Messages API reads requests and writes answers.

https://platform.claude.com/docs/en/api/messages and …/api/versioning
"""

import json
import uuid
from typing import Any

from discubot_pipeline.sandbox.models import checks
from discubot_pipeline.sandbox.models.checks import Refusal, wrong
from discubot_pipeline.sandbox.models.state import KEYS, UNKNOWN, Ask, Form, Reply
from discubot_pipeline.sandbox.wire import Answer, Call, Json

OLD, NEW = "2023-06-01", "2026-10-21"
SAMPLING = ("temperature", "top_p", "top_k")
FIELDS = frozenset(
    {
        "model", "messages", "max_tokens", "system", "stream", "output_config", "tools", "tool_choice", "metadata",
        "stop_sequences", "thinking", "service_tier", *SAMPLING,
    }
)  # fmt: skip
NO_SCHEMA = frozenset({"minimum", "maximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "default"})
KINDS = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
    404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 504: "timeout_error",
    529: "overloaded_error",
}  # fmt: skip
STOPS = {"end": "end_turn", "length": "max_tokens", "refusal": "refusal"}
MOST_TOKENS = 128_000
MUST_STREAM = 21_334


class Anthropic:
    """The dialect of one API."""

    name = "anthropic"

    def read(self, call: Call) -> Ask:
        """Check a request the way the API does, and give what it asks."""
        if (call.verb, call.path) != ("POST", "/v1/messages"):
            raise Refusal(404, "not_found_error", "Not found")
        if KEYS["anthropic"] not in (call.bearer, call.headers.get("x-api-key")):
            raise Refusal(401, "authentication_error", "invalid x-api-key")
        version = call.headers.get("anthropic-version")
        if version not in (OLD, NEW):
            raise wrong(f'anthropic-version: "{version}" is not a valid version')
        body = checks.body_of(call)
        checks.only(body, FIELDS)
        if version == NEW and (sampling := [key for key in SAMPLING if key in body]):
            raise wrong(f"{sampling[0]}: not supported by this version", sampling[0])
        return self._ask(body)

    def _ask(self, body: Json) -> Ask:
        model = checks.text(body, "model")
        if UNKNOWN.search(model) or not model.startswith("claude-"):
            raise Refusal(404, "not_found_error", f"model: {model}")
        most = checks.count(body, "max_tokens", MOST_TOKENS)
        if most is None:
            raise wrong("max_tokens: Field required", "max_tokens")
        if body.get("stream") or most >= MUST_STREAM:
            raise wrong("Streaming is required for operations that may take longer than 10 minutes", "stream")
        turns = checks.items(body, "messages")
        if turns[0].get("role") != "user" or any(turn.get("role") not in ("user", "assistant") for turn in turns):
            raise wrong('messages: first message must use the "user" role', "messages")
        form, schema, tool = _form(body)
        prompt = _words(turns[0].get("content"), "messages.0.content")
        return Ask(
            self.name, model, _words(body.get("system", "x"), "system"), prompt, len(turns), form, schema, tool, most
        )

    def write(self, ask: Ask, reply: Reply, prompt_tokens: int, answer_tokens: int) -> Json:
        """Write an answer."""
        content: list[Json] = [{"type": "text", "text": reply.text}] if reply.text else []
        stop = STOPS[reply.stop]
        if ask.form == "tool" and reply.text:
            tool_use = {"id": _id("toolu"), "name": ask.tool, "input": _object(reply.text)}
            content = [{"type": "tool_use", **tool_use}]
            stop = "tool_use" if reply.stop == "end" else stop
        usage = {"input_tokens": prompt_tokens, "output_tokens": answer_tokens, "service_tier": "standard"}
        cache = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
        return {
            "id": _id("msg"), "type": "message", "role": "assistant", "model": ask.model, "content": content,
            "stop_reason": stop, "stop_sequence": None, "stop_details": None, "usage": usage | cache,
        }  # fmt: skip

    def refuse(self, refusal: Refusal, headers: dict[str, str]) -> Answer:
        """Write an error."""
        kind = refusal.kind or KINDS.get(refusal.status, "api_error")
        error: Json = {"type": kind, "message": refusal.message}
        if refusal.code:
            error["details"] = {"error_code": refusal.code}
        id = _id("req")
        return Answer(
            refusal.status, {"type": "error", "error": error, "request_id": id}, {"request-id": id, **headers}
        )

    def outage(self, status: int) -> Refusal:
        """Give the words for a status."""
        kind = KINDS.get(status, "api_error")
        return Refusal(status, kind, "Overloaded" if kind == "overloaded_error" else "Sandbox fault")

    def quota(self) -> Refusal:
        """Give the words for a limit of money."""
        words = "You have reached the spend limit of your organization."
        return Refusal(429, "rate_limit_error", words, code="enforced_spend_limit_reached")


def _form(body: Json) -> tuple[Form, Json | None, str]:
    """Find the schema that an answer must have: of the output, or of a tool that must be called."""
    config, tools = body.get("output_config"), checks.items(body, "tools") if body.get("tools") else []
    for tool in tools:
        checks.text(tool, "name")
        if not isinstance(tool.get("input_schema"), dict):
            raise wrong("tools.0.input_schema: Field required", "tools")
    if isinstance(config, dict) and config.get("format"):
        wanted = config["format"]
        if not isinstance(wanted, dict) or wanted.get("type") != "json_schema":
            raise wrong("output_config.format.type: Input should be 'json_schema'", "output_config.format")
        at = "output_config.format.schema"
        return "schema", checks.schema(wanted.get("schema"), at, NO_SCHEMA, all_required=False), ""
    if tools and (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        return "tool", tools[0]["input_schema"], tools[0]["name"]
    return "text", None, ""


def _words(content: Any, at: str) -> str:
    """Read a text, or a list of blocks of text."""
    if isinstance(content, str) and content:
        return content
    if isinstance(content, list) and content and all(isinstance(b, dict) and b.get("type") == "text" for b in content):
        return "\n".join(str(block.get("text", "")) for block in content)
    raise wrong(f"{at}: must be text", at)


def _object(words: str) -> Json:
    """Give a tool its input, which is always an object."""
    try:
        found = json.loads(words)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"text": words}


def _id(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex[:24]}"
