"""How OpenAI's Responses and Chat Completions APIs read requests and write answers; a local server speaks the latter.

https://developers.openai.com/api/reference and …/api/docs/guides/error-codes
"""

import re
import time
import uuid
from typing import Any

from discubot_pipeline.sandbox.models import checks
from discubot_pipeline.sandbox.models.checks import Refusal, wrong
from discubot_pipeline.sandbox.models.state import KEYS, UNKNOWN, Ask, Form, Reply
from discubot_pipeline.sandbox.wire import Answer, Call, Json

RESPONSES, CHAT = "/responses", "/chat/completions"
SHARED = (
    "model", "stream", "temperature", "top_p", "tools", "tool_choice", "metadata", "store", "user", "service_tier",
    "parallel_tool_calls", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "safety_identifier",
)  # fmt: skip
FIELDS = {
    RESPONSES: frozenset({*SHARED, "input", "instructions", "text", "max_output_tokens", "include", "reasoning"}),
    CHAT: frozenset({*SHARED, "messages", "response_format", "max_completion_tokens", "max_tokens"}),
}
NO_SCHEMA = frozenset({"default", "allOf", "oneOf", "not", "if", "then", "else", "patternProperties"})
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
REFUSED = "I'm sorry, I cannot assist with that request."
MOST_TOKENS = 128_000
OVERLOADED = 503


class OpenAI:
    """The dialect of OpenAI; the local server wants no key and knows chat completions only."""

    def __init__(self, name: str, paths: tuple[str, ...]) -> None:
        self.name = name
        self._paths = paths

    def read(self, call: Call) -> Ask:
        """Check a request the way the API does, and give what it asks."""
        if call.verb != "POST" or call.path not in self._paths:
            raise Refusal(404, "invalid_request_error", f"Invalid URL ({call.line})")
        key = KEYS.get(self.name)
        if key and call.bearer != key:
            raise Refusal(401, "invalid_request_error", "Incorrect API key provided", code="invalid_api_key")
        body = checks.body_of(call)
        checks.only(body, FIELDS[call.path])
        model = checks.text(body, "model")
        if UNKNOWN.search(model):
            raise Refusal(404, "invalid_request_error", f"The model `{model}` does not exist", code="model_not_found")
        if body.get("stream"):
            raise wrong("this stand-in does not stream", "stream")
        return self._response(model, body) if call.path == RESPONSES else self._chat(model, body)

    def _response(self, model: str, body: Json) -> Ask:
        given = body.get("input")
        turns = [{"role": "user", "content": given}] if isinstance(given, str) else checks.items(body, "input")
        spoken = [turn for turn in turns if turn.get("role") == "user"]
        wanted = (body.get("text") or {}).get("format") or {}
        form, schema, tool = _form(wanted, wanted, "text.format", body)
        most = checks.count(body, "max_output_tokens", MOST_TOKENS, 16)
        prompt, system = _words(spoken[0]["content"] if spoken else None), str(body.get("instructions") or "")
        return Ask(self.name, model, system, prompt, len(turns), form, schema, tool, most)

    def _chat(self, model: str, body: Json) -> Ask:
        turns = checks.items(body, "messages")
        words = [(turn.get("role"), turn.get("content")) for turn in turns]
        system = "\n".join(_words(said) for role, said in words if role in ("system", "developer"))
        spoken = [_words(said) for role, said in words if role == "user"]
        if not spoken:
            raise wrong("messages: there is no message of the user", "messages")
        wanted = body.get("response_format") or {}
        form, schema, tool = _form(wanted, wanted.get("json_schema") or {}, "response_format", body)
        most = checks.count(body, "max_completion_tokens", MOST_TOKENS) or checks.count(body, "max_tokens", MOST_TOKENS)
        return Ask(self.name + ".chat", model, system, spoken[0], len(turns), form, schema, tool, most)

    def write(self, ask: Ask, reply: Reply, prompt_tokens: int, answer_tokens: int) -> Json:
        """Write an answer in the form of the path that was called."""
        write = written_chat if ask.service.endswith(".chat") else written_response
        return write(ask, reply, prompt_tokens, answer_tokens)

    def refuse(self, refusal: Refusal, headers: dict[str, str]) -> Answer:
        """Write an error."""
        error = {"message": refusal.message, "type": refusal.kind, "param": refusal.param, "code": refusal.code}
        return Answer(refusal.status, {"error": error}, {"x-request-id": f"req_{uuid.uuid4().hex}", **headers})

    def outage(self, status: int) -> Refusal:
        """Give the words for a status."""
        if status == OVERLOADED:
            return Refusal(status, "service_unavailable_error", "Overloaded", code="server_is_overloaded")
        if status == 429:
            return Refusal(status, "requests", "Rate limit reached", code="rate_limit_exceeded")
        return Refusal(status, "server_error" if status >= 500 else "invalid_request_error", "Sandbox fault")

    def quota(self) -> Refusal:
        """Give the words for a limit of money."""
        words = "You exceeded your current quota, please check your plan and billing details."
        return Refusal(429, "insufficient_quota", words, code="insufficient_quota")


def _form(wanted: Json, holder: Json, at: str, body: Json) -> tuple[Form, Json | None, str]:
    """Find the schema that an answer must have: of the output, or of a tool that must be called."""
    if wanted.get("type") == "json_schema":
        if not NAME.fullmatch(str(holder.get("name", ""))):
            raise wrong(f"{at}.name: does not match ^[a-zA-Z0-9_-]+$", f"{at}.name")
        if holder.get("strict"):
            return "schema", checks.schema(holder.get("schema"), f"{at}.schema", NO_SCHEMA, all_required=True), ""
        return "schema", holder.get("schema"), ""
    tools = body.get("tools") or []
    if tools and body.get("tool_choice") not in (None, "auto", "none"):
        function = tools[0].get("function", tools[0])
        return "tool", function.get("parameters"), checks.text(function, "name")
    return "text", None, ""


def _words(content: Any) -> str:
    """Read a text, or a list of parts of text."""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "\n".join(str(part.get("text", "")) for part in content)
    raise wrong("content: must be text", "content")


def written_response(ask: Ask, reply: Reply, prompt_tokens: int, answer_tokens: int) -> Json:
    """Write an answer of the Responses API."""
    part: Json = {"type": "output_text", "text": reply.text, "annotations": []}
    if reply.stop == "refusal":
        part = {"type": "refusal", "refusal": reply.text or REFUSED}
    message = {"type": "message", "id": _id("msg"), "role": "assistant", "status": "completed", "content": [part]}
    call = {"type": "function_call", "id": _id("fc"), "call_id": _id("call"), "name": ask.tool, "arguments": reply.text}
    is_call, is_cut = ask.form == "tool" and reply.stop != "refusal", reply.stop == "length"
    usage = {"input_tokens": prompt_tokens, "output_tokens": answer_tokens}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    return {
        "id": _id("resp"), "object": "response", "created_at": time.time(), "model": ask.model, "error": None,
        "status": "incomplete" if is_cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
        "output": [call if is_call else message], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
        "usage": usage | details | {"total_tokens": prompt_tokens + answer_tokens},
    }  # fmt: skip


def written_chat(ask: Ask, reply: Reply, prompt_tokens: int, answer_tokens: int) -> Json:
    """Write an answer of the Chat Completions API."""
    message: Json = {"role": "assistant", "content": reply.text, "refusal": None}
    finish = "length" if reply.stop == "length" else "stop"
    if reply.stop == "refusal":
        message |= {"content": None, "refusal": reply.text or REFUSED}
    elif ask.form == "tool":
        function = {"name": ask.tool, "arguments": reply.text}
        message |= {"content": None, "tool_calls": [{"id": _id("call"), "type": "function", "function": function}]}
        finish = "tool_calls" if finish == "stop" else finish
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": answer_tokens}
    return {
        "id": _id("chatcmpl"), "object": "chat.completion", "created": int(time.time()), "model": ask.model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
        "usage": usage | {"total_tokens": prompt_tokens + answer_tokens},
    }  # fmt: skip


def _id(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex[:24]}"
