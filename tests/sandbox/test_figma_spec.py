"""The stand-in of Figma, held against Figma's own OpenAPI description."""

from typing import Any

import pytest
from jsonschema import ValidationError

from .harness import Figma, Receiver
from .openapi import Description
from .sdk import FIGMA_SPEC, needs_packages

pytestmark = needs_packages
OPERATIONS: list[tuple[str, str, Any, dict[str, str]]] = [
    ("GET", "/me", None, {}),
    ("GET", "/files/{file}/meta", None, {}),
    ("GET", "/files/{file}/comments", None, {"as_md": "true"}),
    ("POST", "/files/{file}/comments", {"message": "x", "comment_id": "{comment}"}, {}),
    ("GET", "/files/{file}/comments/{comment}/reactions", None, {}),
    ("POST", "/files/{file}/comments/{comment}/reactions", {"emoji": ":tada:"}, {}),
    ("DELETE", "/files/{file}/comments/{comment}/reactions", None, {"emoji": ":eyes:"}),
    ("DELETE", "/files/{file}/comments/{comment}", None, {}),
]
each_operation = pytest.mark.parametrize(
    ("verb", "path", "body", "params"), OPERATIONS, ids=[f"{verb} {path}" for verb, path, _, _ in OPERATIONS]
)


@pytest.fixture(scope="module")
def spec() -> Description:
    """Read Figma's description."""
    return Description(FIGMA_SPEC)


@pytest.fixture
def names(figma: Figma) -> dict[str, str]:
    """Name the file, and a comment of the bot's own with a reaction."""
    comment = figma.call("POST", figma.comments, {"message": "mine"}).json()["id"]
    figma.call("POST", f"{figma.comments}/{comment}/reactions", {"emoji": ":eyes:"})
    return {"file": figma.key, "comment": comment}


def filled(body: Any, names: dict[str, str]) -> Any:
    """Put names into a body."""
    return body and {key: value.format(**names) for key, value in body.items()}


@each_operation
def test_answers_are_as_described(
    figma: Figma, spec: Description, names: dict[str, str], verb: str, path: str, body: Any, params: dict[str, str]
) -> None:
    """What a call brings has the described shape, with replies, reactions and resolved threads among it."""
    reply = figma.say(message="a reply", parent_id=figma.thread)["id"]
    figma.call("POST", f"{figma.comments}/{reply}/reactions", {"emoji": ":+1::skin-tone-2:"})
    figma.sandbox.control("PATCH", f"/figma/files/{figma.key}/comments/{figma.thread}", {"is_resolved": True})
    path, body = path.format(**names), filled(body, names)
    answer = figma.call(verb, path, body, **params)
    spec.check_body(verb, f"/v1{path}", body)
    spec.check_answer(verb, f"/v1{path}", 200, answer.json())


@each_operation
def test_refusals_are_as_described(
    figma: Figma, spec: Description, names: dict[str, str], verb: str, path: str, body: Any, params: dict[str, str]
) -> None:
    """So has every refusal that a call can meet: a bad body is told in other words than all else."""
    path, body = path.format(**names), filled(body, names)
    described = [int(status) for status in spec.operation(verb, f"/v1{path}")["responses"]]
    for status in (s for s in described if s > 400 or (s == 400 and verb == "POST")):
        kind = {"kind": "ratelimit"} if status == 429 else {"kind": "status", "status": status}
        figma.sandbox.control("POST", "/faults", {"service": "figma", **kind})
        answer = figma.call(verb, path, body, **params)
        assert answer.status_code == status
        spec.check_answer(verb, f"/v1{path}", status, answer.json())


@pytest.mark.parametrize(
    ("verb", "path", "body", "status"),
    [
        ("GET", "/files/nowhere/comments", None, 404),
        ("GET", "/files/nowhere/meta", None, 404),
        ("DELETE", "/files/{file}/comments/1", None, 404),
        ("POST", "/files/{file}/comments", {}, 400),
        ("POST", "/files/{file}/comments/{comment}/reactions", {"emoji": "x"}, 400),
    ],
)
def test_bad_calls_are_refused_as_described(
    figma: Figma, spec: Description, names: dict[str, str], verb: str, path: str, body: Any, status: int
) -> None:
    """Refusals that no fault makes have the described shape too."""
    path = path.format(**names)
    answer = figma.call(verb, path, body)
    assert answer.status_code == status
    spec.check_answer(verb, f"/v1{path}", status, answer.json())


@each_operation
def test_tokens_may_do_what_is_described(
    figma: Figma, spec: Description, names: dict[str, str], verb: str, path: str, body: Any, params: dict[str, str]
) -> None:
    """A plan's token is refused exactly where the description does not name it; a wrong one everywhere."""
    path, body = path.format(**names), filled(body, names)
    allowed = any("PlanAccessToken" in way for way in spec.operation(verb, f"/v1{path}")["security"])
    for token, status in ((figma.told["plan_token"], 200 if allowed else 403), ("figd_wrong", 403)):
        answer = figma.call(verb, path, body, token=token, **params)
        assert answer.status_code == status
        spec.check_answer(verb, f"/v1{path}", status, answer.json())


def test_webhooks_are_as_described(figma: Figma, spec: Description, receiver: Receiver) -> None:
    """What Figma sends has the described shape, but for people's pictures, which its own examples leave out."""
    figma.sandbox.control("POST", "/figma/webhooks", {"endpoint": receiver.url, "passcode": "p"})
    spec.check("WebhookPingPayload", receiver.next()[1])
    figma.say(message="@Ben Carter :eyes:\nlook")
    _, event = receiver.next()
    for person in (event["triggered_by"], *event["mentions"]):
        person["img_url"] = ""
    spec.check("WebhookFileCommentPayload", event)


def test_an_answer_of_another_shape_does_not_pass(figma: Figma, spec: Description) -> None:
    """A user without a picture, and a time that is none, are found out."""
    user = figma.call("GET", "/me").json()
    del user["img_url"]
    with pytest.raises(ValidationError, match="'img_url' is a required property"):
        spec.check_answer("GET", "/v1/me", 200, user)
    [first, *_] = figma.call("GET", figma.comments).json()["comments"]
    with pytest.raises(ValidationError, match="is not a 'date-time'"):
        spec.check("Comment", first | {"created_at": "yesterday"})
