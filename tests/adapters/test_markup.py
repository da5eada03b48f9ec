"""Text on its way to Notion: links and words survive, whatever is in them."""

from hypothesis import given
from hypothesis import strategies as st

from discubot_pipeline.adapters import markup
from discubot_pipeline.adapters.keyword import Keyword

TEXT = st.text(st.characters(exclude_categories=["C"]), max_size=40)


@given(TEXT, TEXT)
def test_words_are_shown_as_they_are(before: str, after: str) -> None:
    """Plain text comes out as it went in, beside a link too."""
    text = f"{markup.plain(before)}{markup.link('x', 'https://a.example')}{markup.plain(after)}"
    assert "".join(run.text for run in markup.runs(text)) == f"{before}x{after}"
    assert [run.url for run in markup.runs(text) if run.url] == ["https://a.example"]


@given(TEXT.filter(bool), TEXT)
def test_a_link_keeps_its_title_and_address(title: str, address: str) -> None:
    """Whatever signs are in them."""
    found = [(run.text, run.url) for run in markup.runs(markup.link(title, f"https://{address}")) if run.url]
    assert found == [(title, f"https://{address}")]


@given(TEXT)
def test_a_text_without_the_keyword_is_not_cut(text: str) -> None:
    """Only calls are taken out."""
    keyword = Keyword("zebra")
    if not keyword.calls(text):
        assert keyword.cut(text) == text.strip()
