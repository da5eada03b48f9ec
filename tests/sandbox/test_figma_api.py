"""Figma's REST API in the sandbox: what it answers, and that it is as strict as Figma's own words are."""

import pytest

from .harness import Figma


@pytest.mark.parametrize("token", ["", "figd_wrong"])
def test_a_bad_token_is_403(figma: Figma, token: str) -> None:
    """Not 401, as elsewhere."""
    answer = figma.call("GET", "/me", token=token)
    assert (answer.status_code, answer.json()) == (403, {"status": 403, "err": "Invalid token"})


def test_a_plan_token_may_only_read(figma: Figma) -> None:
    """It is nobody's, so it can neither say who it is nor say anything."""
    token = figma.told["plan_token"]
    assert figma.call("GET", figma.comments, token=token).status_code == 200
    assert figma.call("GET", "/me", token=token).status_code == 403
    assert figma.call("POST", figma.comments, {"message": "x"}, token=token).status_code == 403
    reaction = f"{figma.comments}/{figma.thread}/reactions"
    assert figma.call("POST", reaction, {"emoji": ":eyes:"}, token=token).status_code == 403


def test_a_stranger_does_not_see_the_file(figma: Figma) -> None:
    """Whoever is no member gets the answer of a file that is not there."""
    stranger = figma.sandbox.control("POST", "/figma/accounts", {"handle": "Stranger"})["token"]
    assert figma.call("GET", figma.comments, token=stranger).status_code == 404


def test_a_resolved_thread_is_still_listed(figma: Figma) -> None:
    """It says when it was resolved, until somebody opens it again; only whole threads are."""
    place = f"/figma/files/{figma.key}/comments"
    for is_resolved in (True, False):
        figma.sandbox.control("PATCH", f"{place}/{figma.thread}", {"is_resolved": is_resolved})
        *_, root = figma.call("GET", figma.comments).json()["comments"]
        assert (root["id"], root["resolved_at"] is not None) == (figma.thread, is_resolved)
    reply = figma.say(parent_id=figma.thread)["id"]
    refused = figma.sandbox.http.patch(f"/sandbox{place}/{reply}", json={"is_resolved": True})
    assert refused.status_code == 404


def test_tiers_have_limits_of_their_own(figma: Figma) -> None:
    """Comments are of tier 2, files and people of tier 3; the headers say whose limit it is."""
    limit = {"per_minute": {"2": 1}, "seat": "view", "plan": "starter", "retry_after": 86_400}
    figma.sandbox.control("PATCH", f"/figma/tokens/{figma.told['token']}", limit)
    first, second = (figma.call("GET", figma.comments) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 429)
    told = {name: second.headers[name] for name in ("retry-after", "x-figma-rate-limit-type", "x-figma-plan-tier")}
    assert told == {"retry-after": "86400", "x-figma-rate-limit-type": "low", "x-figma-plan-tier": "starter"}
    assert figma.call("GET", "/me").status_code == 200


def test_comments_and_reactions_come_and_go(figma: Figma) -> None:
    """A reply answers a root; resolved or not, all comments are listed, the newest first."""
    made = figma.call("POST", figma.comments, {"message": "@Ben Carter look", "comment_id": figma.thread}).json()
    assert (made["parent_id"], made["order_id"], made["user"]["handle"]) == (figma.thread, None, "discubot")
    listed = figma.call("GET", figma.comments, as_md="true").json()["comments"]
    assert listed[0]["id"] == made["id"]
    assert listed[-1]["client_meta"] == {"node_id": "12:34", "node_offset": {"x": 10.5, "y": 4}}
    path = f"{figma.comments}/{made['id']}/reactions"
    assert figma.call("POST", path, {"emoji": ":+1::skin-tone-2:"}).json() == {"status": 200, "error": False}
    assert figma.call("GET", path).json()["reactions"][0]["emoji"] == ":+1::skin-tone-2:"
    assert figma.call("DELETE", path, emoji=":+1::skin-tone-2:").status_code == 200
    assert figma.call("DELETE", f"{figma.comments}/{made['id']}").status_code == 200
    assert made["id"] not in figma.call("GET", figma.comments).text


def test_files_and_people_have_names(figma: Figma) -> None:
    """The cheap call for a file's name, and who the token is."""
    assert figma.call("GET", f"/files/{figma.key}/meta").json()["file"]["name"] == "Checkout"
    assert figma.call("GET", "/me").json()["handle"] == "discubot"


def test_faults_have_figmas_words(figma: Figma) -> None:
    """A limit has its headers, an outage is HTML, a server's fault is JSON."""
    for fault in ({"kind": "ratelimit", "retry_after": 9}, {"kind": "html"}, {"kind": "status"}):
        figma.sandbox.control("POST", "/faults", {"service": "figma", "match": "GET /me", **fault})
    limited, outage, fault = (figma.call("GET", "/me") for _ in range(3))
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "9")
    assert (outage.status_code, outage.text[:9]) == (503, "<!DOCTYPE")
    assert (fault.status_code, fault.json()["status"]) == (500, 500)


def test_the_files_comments_are_shown_as_a_page(figma: Figma) -> None:
    """Under both addresses that links have, with names, emoji and escaped words; mails' links lead there."""
    figma.say(message="<b>&amp;\nsecond", parent_id=figma.thread)
    figma.call("POST", f"{figma.comments}/{figma.thread}/reactions", {"emoji": ":eyes:"})
    for path in (f"/figma/file/{figma.key}", f"/figma/design/{figma.key}/?node-id=1-2"):
        page = figma.sandbox.http.get(path).text
        assert "Anna de Vries" in page and "&lt;b&gt;&amp;amp;<br>second" in page and "👀" in page
    assert figma.sandbox.http.get("/figma/file/nowhere").status_code == 404
    moved = figma.sandbox.http.head(f"/figma/click/{figma.key}?root={figma.thread}")
    assert moved.headers["location"].endswith(f"/figma/design/{figma.key}/?node-id=1-2#{figma.thread}")
