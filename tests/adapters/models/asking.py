"""The three kinds of API in the sandbox, as analysts, and briefs to ask them about."""

from typing import Any

from pydantic import SecretStr

from discubot_pipeline.adapters.models.analyst import ModelAnalyst
from discubot_pipeline.adapters.models.choice import Choice
from discubot_pipeline.domain.preferences import AnalystKind
from tests.adapters.analyst_conformance import LINES, brief
from tests.conftest import Sandbox

Json = dict[str, Any]
THREAD = brief(*LINES)
MODELS = {
    "anthropic": (AnalystKind.ANTHROPIC, "claude-sonnet-5", "/models/anthropic", "sk-ant-sandbox-acme"),
    "anthropic-tool": (AnalystKind.ANTHROPIC, "claude-instruct-9", "/models/anthropic", "sk-ant-sandbox-acme"),
    "openai": (AnalystKind.OPENAI, "gpt-6.1-terra", "/models/openai/v1", "sk-sandbox-acme"),
    "compatible": (AnalystKind.COMPATIBLE, "llama3.3", "/models/local/v1", None),
}
KINDS = sorted(MODELS)
SERVICES = {"anthropic": "anthropic", "anthropic-tool": "anthropic", "openai": "openai", "compatible": "local"}


def choice(sandbox: Sandbox, kind: str, **changes: Any) -> Choice:
    """Choose a model in the sandbox."""
    provider, model, path, key = MODELS[kind]
    known: Json = {"model": model, "url": sandbox.url + path, "api_key": SecretStr(key) if key else None}
    return Choice(provider, **known | {"patience": 20.0} | changes)


def analyst(sandbox: Sandbox, kind: str, **changes: Any) -> ModelAnalyst:
    """Make the analyst of a model in the sandbox."""
    return ModelAnalyst(choice(sandbox, kind, **changes))


def calls(sandbox: Sandbox, kind: str) -> list[Json]:
    """List the calls to a kind of API since the sandbox started."""
    found: list[Json] = sandbox.control("GET", f"/log?service={SERVICES[kind]}")["calls"]
    return found


def asks(sandbox: Sandbox) -> list[Json]:
    """List what the models were asked."""
    found: list[Json] = sandbox.control("GET", "/models/asks")["asks"]
    return found


def task(**changes: Any) -> Json:
    """Write a task as a model does."""
    blank = dict.fromkeys(
        ("action_items", "status", "priority", "type", "assignee", "due_date", "tags", "domain", "evidence")
    )
    return {"title": "Fix the Pay button", "description": "It is broken.", "confidence": 0.9, **blank, **changes}


def told(*tasks: Json, **changes: Any) -> Json:
    """Write an answer as a model does."""
    known = {"summary": "All is said.", "key_points": [], "sentiment": "neutral", "confidence": 0.8}
    return {**known, "tasks": list(tasks), **changes}
