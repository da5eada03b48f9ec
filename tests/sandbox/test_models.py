"""The stand-ins of language models are as strict as the real ones, and answer as told."""

import json
from typing import Any

import httpx2
import pytest

from .harness import Json, Sandbox, until

KEYS = {"anthropic": "sk-ant-sandbox-acme", "openai": "sk-sandbox-acme", "local": "anything"}
URLS = {
    "messages": "/models/anthropic/v1/messages",
    "responses": "/models/openai/v1/responses",
    "chat": "/models/openai/v1/chat/completions",
    "local": "/models/local/v1/chat/completions",
}
SCHEMA: Json = {
    "type": "object",
    "properties": {"summary": {"type": "string"}},
    "required": ["summary"],
    "additionalProperties": False,
}
OPEN = {**SCHEMA, "additionalProperties": True}
BOUND = {**SCHEMA, "properties": {"summary": {"type": "string", "maxLength": 5}}}
LOOSE = {**SCHEMA, "required": []}
THREAD = (
    "<people><name>Ann</name><name>Bob</name></people><most_tasks>5</most_tasks>\n"
    '<message number="1" author="Ann" time="Monday 2026-03-02 10:00 UTC">Bob, please fix the door by Friday.</message>'
)


def body(api: str, **changes: Any) -> Json:
    """Write a request as the real clients do."""
    turn = [{"role": "user", "content": THREAD}]
    known: dict[str, Json] = {
        "messages": {"model": "claude-sonnet-5", "max_tokens": 4000, "messages": turn, **formatted("messages", SCHEMA)},
        "responses": {"model": "gpt-6.1-terra", "input": turn, **formatted("responses", SCHEMA)},
        "chat": {"model": "gpt-5", "messages": turn, **formatted("chat", SCHEMA)},
        "local": {"model": "llama3.3", "messages": turn, "max_tokens": 100},
    }
    return {key: value for key, value in {**known[api], **changes}.items() if value is not None}


def formatted(api: str, schema: Json, **changes: Any) -> Json:
    """Ask for an answer of a schema."""
    if api == "messages":
        return {"output_config": {"format": {"type": "json_schema", "schema": schema, **changes}}}
    named = {"name": "findings", "strict": True, "schema": schema, **changes}
    if api == "responses":
        return {"text": {"format": {"type": "json_schema", **named}}}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def ask(sandbox: Sandbox, api: str, request: Json | None = None, **headers: str) -> httpx2.Response:
    """Call an API with its key and version."""
    service = URLS[api].split("/")[2]
    known = {"authorization": f"Bearer {KEYS[service]}", "anthropic-version": "2026-10-21"} | headers
    sent = body(api) if request is None else request
    return sandbox.http.post(URLS[api], json=sent, headers={key: value for key, value in known.items() if value})


def words(api: str, answer: Json) -> str:
    """Read what a model says."""
    if api == "messages":
        return str(answer["content"][0]["text"])
    if api == "responses":
        return str(answer["output"][0]["content"][0]["text"])
    return str(answer["choices"][0]["message"]["content"])


@pytest.mark.parametrize("api", URLS)
def test_an_answer_makes_sense_and_is_always_the_same(sandbox: Sandbox, api: str) -> None:
    """Sentences that ask for work become tasks, with owner and day."""
    answers = [json.loads(words(api, ask(sandbox, api).json())) for _ in range(2)]
    [task] = answers[0]["tasks"]
    assert answers[0] == answers[1]
    assert (task["title"], task["assignee"], task["due_date"], task["evidence"]) == (
        "Fix the door by Friday",
        "Bob",
        "2026-03-06",
        1,
    )


REFUSED: list[tuple[str, Json, Json, int, str]] = [
    ("messages", {}, {"authorization": ""}, 401, "authentication_error"),
    ("messages", {}, {"authorization": "Bearer sk-wrong"}, 401, "authentication_error"),
    ("messages", {}, {"anthropic-version": ""}, 400, "invalid_request_error"),
    ("messages", {}, {"anthropic-version": "2020-01-01"}, 400, "invalid_request_error"),
    ("messages", {"temperature": 0.5}, {}, 400, "invalid_request_error"),
    ("messages", {"top_p": 0.5}, {}, 400, "invalid_request_error"),
    ("messages", {"top_k": 5}, {}, 400, "invalid_request_error"),
    ("messages", {"max_tokens": None}, {}, 400, "invalid_request_error"),
    ("messages", {"max_tokens": 30_000}, {}, 400, "invalid_request_error"),
    ("messages", {"stream": True}, {}, 400, "invalid_request_error"),
    ("messages", {"mood": "sunny"}, {}, 400, "invalid_request_error"),
    ("messages", {"messages": []}, {}, 400, "invalid_request_error"),
    ("messages", {"messages": [{"role": "system", "content": "x"}]}, {}, 400, "invalid_request_error"),
    ("messages", {"model": "claude-does-not-exist"}, {}, 404, "not_found_error"),
    ("messages", formatted("messages", OPEN), {}, 400, "invalid_request_error"),
    ("messages", formatted("messages", BOUND), {}, 400, "invalid_request_error"),
    ("messages", formatted("messages", SCHEMA, type="json"), {}, 400, "invalid_request_error"),
    ("messages", {"tools": [{"name": "x"}]}, {}, 400, "invalid_request_error"),
    ("responses", {}, {"authorization": "Bearer sk-wrong"}, 401, "invalid_request_error"),
    ("responses", {"model": "gpt-unknown"}, {}, 404, "invalid_request_error"),
    ("responses", {"messages": []}, {}, 400, "invalid_request_error"),
    ("responses", {"max_output_tokens": 1}, {}, 400, "invalid_request_error"),
    ("responses", formatted("responses", LOOSE), {}, 400, "invalid_request_error"),
    ("responses", formatted("responses", SCHEMA, name="not a name"), {}, 400, "invalid_request_error"),
    ("chat", formatted("chat", OPEN), {}, 400, "invalid_request_error"),
    ("chat", {"messages": [{"role": "system", "content": "x"}]}, {}, 400, "invalid_request_error"),
    ("chat", {"stream": True}, {}, 400, "invalid_request_error"),
    ("local", {"input": "x"}, {}, 400, "invalid_request_error"),
]


@pytest.mark.parametrize(("api", "changes", "headers", "status", "kind"), REFUSED)
def test_a_request_that_the_real_one_refuses_is_refused(
    sandbox: Sandbox, api: str, changes: Json, headers: dict[str, str], status: int, kind: str
) -> None:
    """With its status and in its words."""
    answer = ask(sandbox, api, body(api, **changes), **headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind), answer.text


def test_both_ways_to_send_a_key_and_both_versions(sandbox: Sandbox) -> None:
    """The older version knows temperature."""
    old = {"authorization": "", "x-api-key": KEYS["anthropic"], "anthropic-version": "2023-06-01"}
    assert ask(sandbox, "messages", body("messages", temperature=0.5), **old).status_code == 200
    assert ask(sandbox, "local", authorization="").status_code == 200


@pytest.mark.parametrize("api", ["messages", "responses", "chat"])
def test_a_tool_is_called(sandbox: Sandbox, api: str) -> None:
    """Where a tool must be used, the answer is its input."""
    plain = {"output_config": None, "text": None, "response_format": None}
    tool: Json = {"name": "final", "input_schema": SCHEMA}
    choice: Any = {"type": "any"}
    if api != "messages":
        tool, choice = {"type": "function", "name": "final", "parameters": SCHEMA}, "required"
    if api == "chat":
        tool = {"type": "function", "function": {"name": "final", "parameters": SCHEMA}}
    answer = ask(sandbox, api, body(api, tools=[tool], tool_choice=choice, **plain)).json()
    called = {
        "messages": lambda: answer["content"][0]["input"],
        "responses": lambda: json.loads(answer["output"][0]["arguments"]),
        "chat": lambda: json.loads(answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]),
    }[api]()
    assert called["tasks"][0]["title"] == "Fix the door by Friday"


def test_answers_are_scripted_by_what_is_in_the_prompt(sandbox: Sandbox) -> None:
    """The newest that fits is given, as often as asked; the rest is answered as ever."""
    sandbox.control("POST", "/models/scripts", {"match": "door", "answer": {"summary": "old"}})
    script = {"match": "the door", "answer": "new", "stop": "length", "times": 1}
    sandbox.control("POST", "/models/scripts", script)
    sandbox.control("POST", "/models/scripts", {"match": "window", "answer": "other"})
    first, second = ask(sandbox, "messages").json(), ask(sandbox, "messages").json()
    assert (words("messages", first), first["stop_reason"]) == ("new", "max_tokens")
    assert (words("messages", second), second["stop_reason"]) == ('{"summary": "old"}', "end_turn")
    sandbox.control("DELETE", "/models/scripts/script-1")
    assert "Fix the door" in words("messages", ask(sandbox, "messages").json())
    assert sandbox.http.delete("/sandbox/models/scripts/script-1").status_code == 404
    assert sandbox.http.post("/sandbox/models/scripts", json={"match": "(", "answer": ""}).status_code == 422
    asked = sandbox.control("GET", "/models/asks")["asks"]
    assert [(each["model"], each["form"], each["prompt"]) for each in asked] == [
        ("claude-sonnet-5", "schema", THREAD)
    ] * 3


SPOILED: list[tuple[str, str, Any]] = [
    ("messages", "refusal", lambda a: (a["content"], a["stop_reason"]) == ([], "refusal")),
    ("messages", "truncated", lambda a: a["stop_reason"] == "max_tokens"),
    ("responses", "refusal", lambda a: a["output"][0]["content"][0]["type"] == "refusal"),
    ("responses", "truncated", lambda a: a["incomplete_details"] == {"reason": "max_output_tokens"}),
    ("chat", "refusal", lambda a: a["choices"][0]["message"]["refusal"]),
    ("chat", "truncated", lambda a: a["choices"][0]["finish_reason"] == "length"),
    ("local", "empty", lambda a: words("local", a) == ""),
    ("local", "wrong_enum", lambda a: json.loads(words("local", a))["sentiment"] == "ecstatic"),
    ("local", "off_schema", lambda a: "summary" not in json.loads(words("local", a))),
    ("local", "lying", lambda a: "Mallory" in words("local", a) and "evil.example" in words("local", a)),
    ("local", "invalid_json", lambda a: words("local", a).startswith("Sure!")),
]


@pytest.mark.parametrize(("api", "kind", "shows"), SPOILED)
def test_an_answer_can_be_spoiled(sandbox: Sandbox, api: str, kind: str, shows: Any) -> None:
    """Each in the form that its API has for it."""
    service = URLS[api].split("/")[2]
    sandbox.control("POST", "/faults", {"service": service, "kind": kind})
    answer = ask(sandbox, api)
    assert answer.status_code == 200 and shows(answer.json()), answer.text
    assert not shows(ask(sandbox, api).json())


@pytest.mark.parametrize(
    ("api", "fault", "status", "kind", "code", "wait"),
    [
        ("messages", {"kind": "ratelimit", "retry_after": 9}, 429, "rate_limit_error", None, "9"),
        ("messages", {"kind": "ratelimit"}, 429, "rate_limit_error", None, None),
        ("messages", {"kind": "quota"}, 429, "rate_limit_error", "enforced_spend_limit_reached", None),
        ("messages", {"kind": "status", "status": 529}, 529, "overloaded_error", None, None),
        ("responses", {"kind": "quota"}, 429, "insufficient_quota", "insufficient_quota", None),
        ("chat", {"kind": "status", "status": 503}, 503, "service_unavailable_error", "server_is_overloaded", None),
    ],
)
def test_a_call_can_be_refused(
    sandbox: Sandbox, api: str, fault: Json, status: int, kind: str, code: str | None, wait: str | None
) -> None:
    """Each in the words that its API has for it."""
    sandbox.control("POST", "/faults", {"service": URLS[api].split("/")[2], **fault})
    answer = ask(sandbox, api)
    error = answer.json()["error"]
    said = error.get("details", {}).get("error_code") if api == "messages" else error["code"]
    assert (answer.status_code, error["type"], said, answer.headers.get("retry-after")) == (status, kind, code, wait)


def test_a_call_that_hangs_knows_when_nobody_waits(sandbox: Sandbox) -> None:
    """The log says that the client has left; one that stays is hung up on."""
    sandbox.control("POST", "/faults", {"service": "openai", "kind": "hang"})
    sandbox.control("POST", "/faults", {"service": "openai", "kind": "hang", "seconds": 0.05})
    with pytest.raises(httpx2.ReadTimeout):
        sandbox.http.post(URLS["responses"], json=body("responses"), timeout=0.1)
    until(lambda: sandbox.control("GET", "/log?service=openai")["calls"])
    with pytest.raises(httpx2.RemoteProtocolError):
        ask(sandbox, "responses")
    log = sandbox.control("GET", "/log?service=openai")["calls"]
    assert [(call["status"], call["error"]) for call in log] == [(0, "left"), (0, "dropped")]


@pytest.mark.parametrize("fault", [{"service": "slack", "kind": "refusal"}, {"service": "notion", "kind": "quota"}])
def test_faults_of_models_are_theirs_alone(sandbox: Sandbox, fault: Json) -> None:
    """Other services cannot refuse to read."""
    assert sandbox.http.post("/sandbox/faults", json=fault).status_code == 422


def test_addresses_and_keys_are_told(sandbox: Sandbox) -> None:
    """A demo can be set up with what the defaults say."""
    models = sandbox.defaults["models"]
    assert models["openai"] == {"url": f"{sandbox.url}/models/openai/v1", "api_key": KEYS["openai"]}
    assert models["local"]["api_key"] is None
