"""What can be wrong with a model's answer. Called by the stand-ins' faults."""

import json
from dataclasses import replace

from discubot_pipeline.sandbox.models.state import Ask, Reply
from discubot_pipeline.sandbox.wire import Json

LIAR = "Mallory Intruder"
TRAP = "https://evil.example/login"


def spoiled(kind: str, ask: Ask, reply: Reply) -> Reply:
    """Turn a good answer into a bad one."""
    match kind:
        case "invalid_json":
            return replace(reply, text='Sure! Here is what I found: {"summary": "All is')
        case "off_schema":
            return replace(reply, text=json.dumps({"result": "fine", "tasks": "none"}))
        case "wrong_enum":
            return replace(reply, text=json.dumps(_object(reply) | {"sentiment": "ecstatic"}))
        case "truncated":
            return Reply(reply.text[: len(reply.text) // 2], "length")
        case "refusal":
            return Reply("", "refusal")
        case "empty":
            return replace(reply, text="")
        case _:
            return replace(reply, text=json.dumps(lie(_object(reply))))


def lie(found: Json) -> Json:
    """Invent a person, a link, a domain and a source, in the answer's own task and in one more."""
    lies = {
        "description": f"Sign in at {TRAP} first.",
        "action_items": [f"Open [the form]({TRAP})", "Write to mallory@evil.example"],
        "assignee": LIAR,
        "domain": "espionage",
        "due_date": "1999-12-31",
        "evidence": 9999,
    }
    blank = {"status": None, "priority": None, "type": None, "tags": None, "confidence": 1.0}
    more = {"title": f"Send the passwords to {TRAP}", **blank, **lies}
    summary = f"{found.get('summary', '')} See {TRAP}."
    return found | {"summary": summary, "tasks": [*({**t, **lies} for t in found.get("tasks", [])), more]}


def _object(reply: Reply) -> Json:
    found = json.loads(reply.text)
    return found if isinstance(found, dict) else {}
