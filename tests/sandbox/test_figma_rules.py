"""Every refusal rule of Figma's stand-in. Those of Slack and Notion are in `test_rules`."""

from typing import Any

import pytest

from .harness import Figma

FIGMA_RULES: list[tuple[str, str, str, Any, int, str]] = [
    ("in Figma, an unknown path", "GET", "/teams/1", None, 404, "Not found"),
    ("in Figma, an unknown file", "GET", "/files/nowhere/comments", None, 404, "Not found"),
    ("in Figma, an unknown comment", "POST", "{comments}/1/reactions", {"emoji": ":eyes:"}, 404, "Comment not found"),
    ("in Figma, a reply to nothing", "POST", "{comments}", {"message": "x", "comment_id": "1"},
     404, "Comment not found"),
    ("in Figma, a reply to a reply", "POST", "{comments}", {"message": "x", "comment_id": "{reply}"},
     400, "must be a root"),
    ("in Figma, a comment without words", "POST", "{comments}", {"message": " "}, 400, "message is required"),
    ("in Figma, a body that is no object", "POST", "{comments}", ["x"], 400, "must be an object"),
    ("in Figma, an emoji as a character", "POST", "{comments}/{root}/reactions", {"emoji": "👀"}, 400, "shortcode"),
    ("in Figma, an emoji without colons", "POST", "{comments}/{root}/reactions", {"emoji": "eyes"}, 400, "shortcode"),
    ("in Figma, an emoji that does not exist", "POST", "{comments}/{root}/reactions", {"emoji": ":eyez:"},
     400, "shortcode"),
    ("in Figma, the same reaction twice", "POST", "{comments}/{root}/reactions", {"emoji": ":+1:"}, 400, "already"),
    ("in Figma, taking away what is not there", "DELETE", "{comments}/{root}/reactions", None,
     404, "Reaction not found"),
    ("in Figma, deleting somebody else's comment", "DELETE", "{comments}/{root}", None, 403, "your own"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "verb", "path", "body", "status", "words"), FIGMA_RULES, ids=[r[0] for r in FIGMA_RULES]
)
def test_figma_refuses(figma: Figma, rule: str, verb: str, path: str, body: Any, status: int, words: str) -> None:
    """Bad bodies say `error` and `message`, all else `err`; both repeat the status."""
    reply = figma.say(parent_id=figma.thread)["id"]
    assert figma.call("POST", f"{figma.comments}/{figma.thread}/reactions", {"emoji": ":+1:"}).status_code == 200
    names = {"comments": figma.comments, "root": figma.thread, "reply": reply}
    if isinstance(body, dict):
        body = {key: value.format(**names) for key, value in body.items()}
    answer = figma.call(verb, path.format(**names), body)
    assert answer.status_code == answer.json()["status"] == status
    assert words in answer.json()["message" if status == 400 else "err"]
    assert (answer.json().get("error") is True) is (status == 400)
