"""A new user tries it: types into the sandbox's page, mentions the bot, and sees answer and card arrive."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.flow.town import Town
from tests.sandbox.test_page import SWITCHES

CHROMIUM = shutil.which("chromium")
PATIENCE_MS = 60_000
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs the browser `chromium` on the PATH")


@pytest.fixture
def page() -> Iterator[Page]:
    """Open a browser's page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        yield browser.new_page(viewport={"width": 1280, "height": 800})
        browser.close()


def test_what_is_typed_becomes_a_card(town: Town, page: Page) -> None:
    """Words beside a mention: eyes, a tick and an answer in the thread, a card on the board, its page behind it."""
    team = town.team("page")
    page.goto(f"{town.system.sandbox_url}/?team_id={team.slack['team_id']}")
    page.get_by_label("Message #").fill("Fix the checkout button")
    page.get_by_label("Mention @discubot").check()
    page.get_by_role("button", name="Send").click()
    answer = page.get_by_role("article", name="Message from Discubot")
    expect(answer).to_contain_text("1 task created in Notion", timeout=PATIENCE_MS)
    expect(page.get_by_role("list", name="Reactions").first).to_contain_text("✅", timeout=PATIENCE_MS)
    with page.expect_popup() as opened:
        answer.get_by_role("link", name="Fix the checkout button").click()
    expect(opened.value.get_by_role("heading", name="Fix the checkout button")).to_be_visible()
    expect(opened.value.get_by_role("heading", name="Thread")).to_be_visible()
