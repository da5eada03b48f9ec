"""The page in a real browser: talking in the channel, replying, watching the board, reading a page."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from .harness import BOT, CHANNEL, TEAM, Sandbox, paragraph

CHROMIUM = shutil.which("chromium")
SWITCHES = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs the browser `chromium` on the PATH")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start one browser for all tests."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        yield started
        started.close()


@pytest.fixture
def page(browser: Any, sandbox: Sandbox) -> Iterator[Page]:
    """Open the sandbox; any error in the console fails the test."""
    problems: list[str] = []
    opened: Page = browser.new_page(viewport={"width": 1280, "height": 800})
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    opened.goto(sandbox.url)
    expect(opened.get_by_role("heading", name="#product")).to_be_visible()
    yield opened
    opened.close()
    assert problems == []


def test_what_is_written_is_said(page: Page, sandbox: Sandbox) -> None:
    """A message goes to the channel under the chosen name, escaped and with the mention in Slack's form."""
    page.get_by_label("Post as").select_option("Ben Carter")
    page.get_by_label("Message #product").fill("Fix a < b & see https://acme.example/x?a=1 <script>")
    page.get_by_label("Mention @discubot").check()
    page.get_by_role("button", name="Send").click()
    said = page.get_by_role("article", name="Message from Ben Carter")
    expect(said).to_contain_text("@discubot Fix a < b & see https://acme.example/x?a=1 <script>")
    expect(said.get_by_role("link")).to_have_attribute("href", "https://acme.example/x?a=1")
    stored = sandbox.slack("conversations.history", channel=CHANNEL)["messages"][0]
    assert stored["text"] == f"<@{BOT}> Fix a &lt; b &amp; see <https://acme.example/x?a=1> &lt;script&gt;"
    assert stored["user"] == "U0BEN"


def test_replies_go_into_the_thread(page: Page, sandbox: Sandbox) -> None:
    """Replying in a thread shows whom one answers, and Enter sends."""
    root = sandbox.say("The button is broken")["ts"]
    page.get_by_role("button", name="Reply in thread").click()
    expect(page.get_by_text("Replying to Anna de Vries")).to_be_visible()
    page.get_by_label("Reply in thread").last.fill("I see it too")
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Replies")).to_contain_text("I see it too")
    assert len(sandbox.slack("conversations.replies", channel=CHANNEL, ts=root)["messages"]) == 2
    expect(page.get_by_label("Message #product")).to_be_visible()


def test_the_page_follows_what_happens(page: Page, sandbox: Sandbox) -> None:
    """Replies, reactions and tasks of the bot appear by themselves within a second."""
    root = sandbox.say("*Bold* and `code` and _soft_ :tada:")["ts"]
    sandbox.slack("chat.postMessage", channel=CHANNEL, text="Done: <https://acme.example/t|the task>", thread_ts=root)
    sandbox.slack("reactions.add", channel=CHANNEL, name="white_check_mark", timestamp=root)
    sandbox.create("Fix the button", Status={"status": {"name": "In progress"}}, Priority={"select": {"name": "High"}})
    message = page.get_by_role("article", name="Message from Anna de Vries")
    expect(message.locator("strong").last).to_have_text("Bold", timeout=1500)
    expect(message).to_contain_text("🎉")
    expect(message.get_by_role("list", name="Reactions")).to_contain_text("✅")
    expect(page.get_by_role("article", name="Message from Discubot").get_by_role("link")).to_have_text("the task")
    card = page.get_by_role("region", name="In progress column").get_by_role("link", name="Fix the button")
    expect(card).to_contain_text("High", timeout=1500)
    expect(page.get_by_text("1 task", exact=True)).to_be_visible()


def test_a_card_opens_its_page(page: Page, sandbox: Sandbox) -> None:
    """The card leads to the page with its properties and blocks, drawn without running anything."""
    evil = "<img src=x onerror=alert(1)>"
    todo = {"type": "to_do", "to_do": {"rich_text": [{"text": {"content": "Test it"}}], "checked": True}}
    sandbox.create(evil, children=[paragraph(evil), todo], Source={"url": "https://acme.example/s"})
    page.get_by_role("link", name=evil).click()
    expect(page.get_by_role("heading", name=evil)).to_be_visible()
    expect(page.get_by_role("link", name="https://acme.example/s")).to_be_visible()
    expect(page.get_by_role("checkbox")).to_be_checked()
    expect(page.get_by_text(evil).last).to_be_visible()
    page.get_by_role("link", name="← Sandbox").click()
    expect(page.get_by_role("heading", name="Tasks")).to_be_visible()


def test_a_card_can_be_moved(page: Page, sandbox: Sandbox) -> None:
    """Dragging a card into another column changes its status."""
    sandbox.create("Move me", Status={"status": {"name": "To do"}})
    done = page.get_by_role("region", name="Done column")
    page.get_by_role("link", name="Move me").drag_to(done)
    expect(done.get_by_role("link", name="Move me")).to_be_visible()
    assert sandbox.pages()[0]["properties"]["Status"] == "Done"


def test_links_lead_to_the_other_parts(page: Page) -> None:
    """Links given at the start stand in the header, beside the state of the receiver."""
    expect(page.get_by_role("link", name="Dagster UI")).to_have_attribute("href", "http://127.0.0.1:3000/")
    expect(page.get_by_role("status")).to_have_text("No receiver connected")


def test_a_permalink_leads_to_its_message(page: Page, sandbox: Sandbox) -> None:
    """When the workspace's address is the sandbox itself, links of messages open there."""
    sandbox.control("PATCH", f"/slack/workspaces/{TEAM}", {"url": f"{sandbox.url}/"})
    linked = sandbox.say("The very first")["ts"]
    for n in range(30):
        sandbox.say(f"Message number {n}", user="U0BEN")
    page.goto(sandbox.slack("chat.getPermalink", channel=CHANNEL, message_ts=linked)["permalink"])
    expect(page.get_by_text("The very first")).to_be_in_viewport()
    expect(page.get_by_text("Message number 29")).not_to_be_in_viewport()


def test_a_card_can_be_moved_by_a_list(page: Page, sandbox: Sandbox) -> None:
    """Choosing another status below a card is the same as dragging it there."""
    sandbox.create("Finish me", Status={"status": {"name": "To do"}})
    page.get_by_label("Status of Finish me").select_option("Done")
    done = page.get_by_role("region", name="Done column")
    expect(done.get_by_role("link", name="Finish me")).to_be_visible()
    assert sandbox.pages()[0]["properties"]["Status"] == "Done"


def test_people_comment_on_a_page(page: Page, sandbox: Sandbox) -> None:
    """A comment opens a discussion, a reply goes into it, and what the bot answers appears by itself."""
    page.get_by_role("link", name="Website relaunch").click()
    page.wait_for_url("**/p/*", wait_until="domcontentloaded")
    page.get_by_label("Write as").select_option("Ben Carter")
    page.get_by_label("New comment").fill("Which plans are the new ones?")
    page.get_by_label("New comment").press("Enter")
    discussion = page.get_by_role("article")
    expect(discussion).to_contain_text("Which plans are the new ones?")
    page.get_by_label("Reply").fill("@discubot fix <b>it</b>")
    discussion.get_by_role("button", name="Send").click()
    expect(discussion).to_contain_text("@discubot fix <b>it</b>")
    first, second = sandbox.control("GET", "/notion/comments")["comments"]
    assert first["discussion_id"] == second["discussion_id"]
    assert first["name"] == "Ben Carter"
    answer = {"discussion_id": first["discussion_id"], "rich_text": [{"text": {"content": "✅ 1 task created"}}]}
    assert sandbox.notion("POST", "/comments", answer).is_success
    expect(discussion).to_contain_text("✅ 1 task created")
