"""The Python client that most people use, in front of the stand-in of Notion."""

from collections.abc import Iterator

import pytest
from notion_client import APIResponseError, Client

from .harness import Sandbox, rich


@pytest.fixture
def client(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Point the client at the sandbox, without its own retries."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    client = Client(auth=sandbox.notion_token, base_url=f"{sandbox.url}/notion", retry=False)
    yield client
    client.close()


def test_the_client_writes_and_lists_comments(sandbox: Sandbox, client: Client) -> None:
    """A discussion is opened on a page, answered, listed by pages and read by id."""
    page = sandbox.defaults["notion"]["page_id"]
    first = client.comments.create(parent={"page_id": page}, rich_text=rich("One"))
    client.comments.create(discussion_id=first["discussion_id"], rich_text=rich("Two"))
    listed = client.comments.list(block_id=page, page_size=1)
    rest = client.comments.list(block_id=page, start_cursor=listed["next_cursor"])
    texts = [one["rich_text"][0]["plain_text"] for one in listed["results"] + rest["results"]]
    assert texts == ["One", "Two"]
    assert client.comments.retrieve(comment_id=first["id"])["created_by"]["id"] == client.users.me()["id"]


def test_the_client_makes_and_moves_pages(sandbox: Sandbox, client: Client) -> None:
    """A page is created in the data source, changed, and read with its blocks."""
    parent = {"type": "data_source_id", "data_source_id": sandbox.source}
    children = [{"type": "paragraph", "paragraph": {"rich_text": rich("Why")}}]
    page = client.pages.create(parent=parent, properties={"Task": {"title": rich("Fix it")}}, children=children)
    changed = client.pages.update(page_id=page["id"], properties={"Status": {"status": {"name": "Done"}}})
    assert changed["properties"]["Status"]["status"]["name"] == "Done"
    assert client.pages.retrieve(page_id=page["id"])["url"] == page["url"]
    [block] = client.blocks.children.list(block_id=page["id"])["results"]
    assert block["paragraph"]["rich_text"][0]["plain_text"] == "Why"


def test_the_client_understands_refusals(sandbox: Sandbox, client: Client) -> None:
    """Codes and messages are those it knows from Notion."""
    with pytest.raises(APIResponseError) as refused:
        client.comments.create(discussion_id="00000000-0000-4000-8000-000000000000", rich_text=rich("x"))
    assert (refused.value.status, refused.value.code) == (404, "object_not_found")
