"""The layout of a page, and Notion's limits on it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discubot_pipeline.adapters.page import (
    Block,
    Run,
    clip,
    first_batch,
    layout,
    read_marks,
    rich_text,
    safe_link,
    units,
)
from discubot_pipeline.domain.discussion import Attachment
from tests.adapters.tracker_conformance import ANNA, FINDINGS, TASK, make_draft, make_message

FAMILY = "👩‍👩‍👧‍👦"


def elements(block: Block) -> list[dict[str, Any]]:
    """Give the rich text of a block."""
    found: list[dict[str, Any]] = block[block["type"]].get("rich_text", [])
    return found


def text_of(block: Block) -> str:
    """Give the text of a block."""
    return "".join(element["text"]["content"] for element in elements(block))


def thread_of(blocks: list[Block]) -> list[Block]:
    """Give the blocks between the headings Thread and Details."""
    texts = [text_of(block) for block in blocks]
    return blocks[texts.index("Thread") + 1 : texts.index("Details")]


def all_batches(blocks: list[Block]) -> list[list[Block]]:
    """Cut a page into requests."""
    batches = []
    while blocks:
        batches.append(first_batch(blocks))
        blocks = blocks[len(batches[-1]) :]
    return batches


def assert_limits(blocks: list[Block]) -> None:
    """Check every limit that Notion has on what one page's requests carry."""
    for batch in all_batches(blocks):
        assert 1 <= len(batch) <= 100
        assert len(json.dumps(batch, ensure_ascii=False).encode()) < 450_000
    for block in blocks:
        assert len(elements(block)) <= 100
        for element in elements(block):
            assert 1 <= units(element["text"]["content"]) <= 2000
            assert units((element["text"]["link"] or {}).get("url", "")) <= 2000


def test_order_of_a_page() -> None:
    """A page reads: callout, to-dos, key points, thread, details, divider, the way back."""
    blocks = layout(make_draft(2))
    assert [(block["type"], text_of(block).split("\n")[0]) for block in blocks] == [
        ("callout", "The header is broken."),
        ("heading_2", "To do"),
        ("to_do", "Measure the header"),
        ("to_do", "Ship the fix"),
        ("heading_2", "Key points"),
        ("bulleted_list_item", "Only on phones"),
        ("heading_2", "Thread"),
        ("paragraph", "Anna de Vries · 2026-11-20 09:00 UTC"),
        ("paragraph", "Ben Carter · 2026-11-20 09:01 UTC"),
        ("heading_2", "Details"),
        ("bulleted_list_item", "Source: Slack"),
        ("bulleted_list_item", "Thread: Header on phones"),
        ("bulleted_list_item", "Participants: Anna de Vries, Ben Carter"),
        ("bulleted_list_item", "Priority: High"),
        ("bulleted_list_item", "Type: Bug"),
        ("bulleted_list_item", "Due: 2026-12-01"),
        ("bulleted_list_item", "Assignee: Anna de Vries"),
        ("bulleted_list_item", "Tags: web, phone"),
        ("bulleted_list_item", "Analyst: rules"),
        ("bulleted_list_item", "Confidence: 80%"),
        ("divider", ""),
        ("paragraph", "Open the discussion in Slack"),
    ]


def test_only_what_is_known() -> None:
    """What nobody knows leaves neither heading nor bullet, and the page still has its callout and its end."""
    bare = TASK.model_validate({"title": "Look at it"})
    blocks = layout(make_draft(0, task=bare, findings=FINDINGS.model_copy(update={"summary": "", "key_points": ()})))
    assert [text_of(block) for block in blocks] == [
        "Look at it",
        *("Details", "Source: Slack", "Thread: Header on phones", "Analyst: rules", "Confidence: 80%"),
        *("", "Open the discussion in Slack"),
    ]


def test_one_paragraph_for_each_message() -> None:
    """A message is one paragraph: its author in bold leads to it, then time, text and attachments."""
    message = make_message(
        2,
        "See `make demo` at https://acme.example/a.\n\nThanks!",
        attachments=(Attachment(name="plan.pdf", url="https://acme.example/plan.pdf"), Attachment(name="x")),
    )
    [paragraph] = thread_of(layout(make_draft([message])))
    assert text_of(paragraph) == (
        "Anna de Vries · 2026-11-20 09:02 UTC\nSee make demo at https://acme.example/a.\n\nThanks!\n📎 plan.pdf\n📎 x"
    )
    first = elements(paragraph)[0]
    assert first["text"]["link"] == {"url": message.url}
    assert first["annotations"] == {"bold": True}
    links = [e["text"]["link"]["url"] for e in elements(paragraph) if e["text"]["link"]]
    assert links == [message.url, "https://acme.example/a", "https://acme.example/plan.pdf"]
    assert [e["text"]["content"] for e in elements(paragraph) if e.get("annotations") == {"code": True}] == [
        "make demo"
    ]


def test_message_without_words() -> None:
    """A message without text, of an author without name, is still one paragraph."""
    nameless = make_message(1, " \n", author=ANNA.model_copy(update={"name": " "}), url=None)
    assert [text_of(block) for block in thread_of(layout(make_draft([nameless])))] == ["U0ANNA · 2026-11-20 09:01 UTC"]


@pytest.mark.parametrize("character", ["x", "é", "漢", "😀", FAMILY, '"', "\n", "\\"])
def test_huge_messages(character: str) -> None:
    """A message of half a million characters is kept to its last one, within every limit."""
    text = f"begin{character * (500_000 // len(character))}end"
    blocks = layout(make_draft([make_message(1, text), make_message(2)]))
    assert_limits(blocks)
    told = "".join(text_of(block) for block in thread_of(blocks))
    assert told.split("\n", 1)[1].startswith(text + "Anna de Vries")


def test_many_large_messages() -> None:
    """Requests are cut by bytes too: ten blocks of 100 KB do not go out together."""
    blocks = layout(make_draft([make_message(n, "漢" * 33_000) for n in range(10)]))
    assert_limits(blocks)
    assert len(thread_of(blocks)) == 10
    assert 3 <= len(all_batches(blocks)) <= 5


def test_many_messages() -> None:
    """A thousand short messages are a thousand paragraphs in requests of a hundred."""
    blocks = layout(make_draft(1000))
    assert len(thread_of(blocks)) == 1000
    assert [len(batch) for batch in all_batches(blocks)][:10] == [100] * 10


def test_more_links_than_a_block_holds() -> None:
    """A message with more than a hundred pieces goes on in a second paragraph."""
    text = " ".join(f"https://acme.example/{n}" for n in range(80))
    blocks = thread_of(layout(make_draft([make_message(1, text)])))
    assert_limits(blocks)
    assert len(blocks) == 2
    assert "".join(map(text_of, blocks)).endswith(text)


@given(st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs"), include_characters="\n\t"), max_size=300))
def test_any_text_survives(text: str) -> None:
    """Cutting loses nothing and never leaves an empty piece, whatever the text and wherever the cut."""
    for copies in (1, 50):
        pieces = [element["text"]["content"] for element in rich_text([Run(text * copies)])]
        assert "".join(pieces) == text * copies
        assert all(1 <= units(piece) <= 2000 for piece in pieces)


@given(st.text(max_size=200))
def test_any_message_fits(text: str) -> None:
    """Whatever people write, a page of it is within the limits and can be sent as JSON."""
    assert_limits(layout(make_draft([make_message(1, text)])))


def test_broken_characters() -> None:
    """Half a surrogate pair is replaced, two halves are put together, and control characters go."""
    assert clip("a\ud83db\ud83d\ude00\x00\x1bc") == "a�b😀c"


def test_clip() -> None:
    """A cut text says so, and the cut spares characters of two units."""
    assert clip("abc", 3) == "abc"
    assert clip("abcd", 3) == "ab…"
    assert clip("a😀bc", 3) == "a…"


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.example/a?b=c#d",
        "http://127.0.0.1:8010/p/1",
        "http://[::1]/",
        "HTTPS://Acme.example",
        "mailto:anna@acme.example",
        "https://" + "x" * 1992,
    ],
)
def test_links_that_work(url: str) -> None:
    """Web and mail addresses become links."""
    assert safe_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        *(None, "", "/relative", "javascript:alert(1)", "ftp://acme.example", "https://", "https://[bad"),
        *(
            "https://a b",
            "https://acme.example:port",
            "https://a..b",
            "mailto:nobody",
            "https://" + "x" * 1993,
        ),
        *("https://acme.example/\ud83d", "data:text/html,x", "slack://channel"),
    ],
)
def test_links_that_do_not(url: str | None) -> None:
    """Anything else stays text."""
    assert safe_link(url) is None


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("(see https://acme.example/a_(b))", ["https://acme.example/a_(b)"]),
        ("<https://acme.example/a>, HTTP://b.example!", ["https://acme.example/a", "HTTP://b.example"]),
        ("write to mailto:anna@acme.example.", ["mailto:anna@acme.example"]),
        ("`https://code.example` ```\nhttps://fence.example\n```", []),
        ("no link: https://.", []),
    ],
)
def test_links_in_text(text: str, links: list[str]) -> None:
    """URLs are found without the punctuation around them, and not inside code."""
    found = rich_text(read_marks(text))
    assert [e["text"]["link"]["url"] for e in found if e["text"]["link"]] == links


def test_fences() -> None:
    """A fenced passage is code as a whole, with its line breaks."""
    assert list(read_marks("a ```\nx\ny\n``` b")) == [Run("a "), Run("x\ny", code=True), Run(" b")]


@pytest.mark.timeout(10)
@pytest.mark.parametrize("text", ["`" * 100_000, "https://x" + ")" * 300_000, "```" + "`x\n" * 100_000])
def test_text_made_to_be_slow(text: str) -> None:
    """No text makes the reader of marks slow."""
    assert_limits(layout(make_draft([make_message(1, text)])))
