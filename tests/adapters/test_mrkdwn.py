"""Slack's text format: what people read of it, and what we write."""

import html
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from discubot_pipeline.adapters import mrkdwn

NAMES = {"U1": "Anna de Vries", "U2": "ben"}
PLAIN = st.text(alphabet=st.characters(exclude_characters=":`", exclude_categories=["Cs"]))


def decoded(text: str) -> str:
    """Decode with two people known."""
    return mrkdwn.decode(text, NAMES.get)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("<@U1> and <@U2|old>", "@Anna de Vries and @ben"),
        ("<@U9> and <@U9|cleo>", "@U9 and @cleo"),
        ("<#C1|general>, <#C2>, <#C3|>", "#general, #C2, #C3"),
        ("<!here> <!channel> <!everyone> <!here|here>", "@here @channel @everyone @here"),
        ("<!subteam^S1|@design> <!subteam^S2|ops> <!subteam^S3>", "@design @ops @S3"),
        ("<!date^1392734382^{date_num} at {time}|18 Feb 2014>", "18 Feb 2014"),
        ("<!unknown>", "unknown"),
    ],
)
def test_ids_become_names(raw: str, text: str) -> None:
    """People, channels and groups are written as Slack shows them; what has no name keeps its id."""
    assert decoded(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("<https://x.io/a?b=1&amp;c=2>", "https://x.io/a?b=1&c=2"),
        ("<https://x.io/|the &amp; plan>", "the & plan (https://x.io/)"),
        ("<https://x.io|https://x.io>", "https://x.io"),
        ("<http://x.io|x.io>", "http://x.io"),
        ("<https://x.io/|x.io>", "https://x.io/"),
        ("<mailto:a@x.io|a@x.io>", "a@x.io"),
        ("<mailto:a@x.io|Anna>", "Anna (a@x.io)"),
        ("<tel:+31201234567|+31 20 123 45 67>", "+31 20 123 45 67 (+31201234567)"),
        ("<https://x.io|:tada: news>", "🎉 news (https://x.io)"),
        ("<https://x.io/:tada:/>", "https://x.io/:tada:/"),
    ],
)
def test_links_show_their_address(raw: str, text: str) -> None:
    """A label and its address both stay; an address that is its own label comes once."""
    assert decoded(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a &lt; b &amp;&amp; b &gt; c", "a < b && b > c"),
        ("&amp;lt;", "&lt;"),
        ("&lt;@U1&gt;", "<@U1>"),
        ("&nbsp; &quot;", "&nbsp; &quot;"),
        ("1 < 2 <> >", "1 < 2 <> >"),
    ],
)
def test_entities_are_undone_once(raw: str, text: str) -> None:
    """Only the three that Slack writes, after its tokens: what people typed never becomes a token."""
    assert decoded(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (":tada: :+1: :thumbsup:", "🎉 👍 👍"),
        (":+1::skin-tone-3: :wave::skin-tone-6:", "👍🏼 👋🏿"),
        (":tada::skin-tone-3:", "🎉"),
        (":point_up::skin-tone-2:", "☝🏻"),
        ("Great:tada:!", "Great🎉!"),
        (":flag-de: :flag-zz: :us:", "🇩🇪 :flag-zz: 🇺🇸"),
        (":man-shrugging: :female-technologist:", "🤷‍♂️ 👩‍💻"),
        (":party_parrot: :simple_smile:", ":party_parrot: :simple_smile:"),
        (":party_parrot::skin-tone-3:", ":party_parrot::skin-tone-3:"),
        ("at 10:100:30, ratio a:b:c", "at 10:100:30, ratio a:b:c"),
        (":100: :b:", "💯 🅱️"),
        ("Note: this: that", "Note: this: that"),
    ],
)
def test_shortcodes_become_emoji(raw: str, text: str) -> None:
    """Slack's names and skin tones are known; a workspace's own emoji, and times, are left alone."""
    assert decoded(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("`a:tada:b` and :tada:", "`a:tada:b` and 🎉"),
        ("```if a &lt; b:\n  print(':tada:')\n```", "```if a < b:\n  print(':tada:')\n```"),
        ("```curl <https://x.io/?a=1&amp;b=2>```", "```curl https://x.io/?a=1&b=2```"),
        ("`<http://x.io|x.io>`", "`x.io`"),
        ("`<@U1>` `<!here>`", "`<@U1>` `<!here>`"),
        ("`unclosed :tada:", "`unclosed 🎉"),
        ("`*x*` *bold* _it_ ~no~\n&gt; quoted", "`*x*` bold it no\n> quoted"),
        ("a * b * c, snake_case_name, __init__, 2*3*4", "a * b * c, snake_case_name, __init__, 2*3*4"),
    ],
)
def test_code_is_kept_and_marks_go(raw: str, text: str) -> None:
    """Code reads as it was typed; marks for bold and the like go, and what only looks like them stays."""
    assert decoded(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("<@UBOT> fix it", "fix it"),
        ("<@UBOT|discubot>: fix it", "fix it"),
        ("hey <@UBOT>, fix it", "hey fix it"),
        ("fix it <@UBOT>", "fix it"),
        ("fix it, <@UBOT>!", "fix it,!"),
        ("one\n<@UBOT> two\nthree <@UBOT>\nfour", "one\ntwo\nthree\nfour"),
        ("<@UBOT><@UBOT> fix <@UBOT> it", "fix it"),
        ("<@UBOT>", ""),
        ("<@UBOTTOM> fix it", "<@UBOTTOM> fix it"),
    ],
)
def test_the_bots_mention_is_taken_out(raw: str, text: str) -> None:
    """The words stay as if the bot had not been named."""
    assert mrkdwn.without_mention(raw, "UBOT") == text
    assert mrkdwn.mentions(raw, "UBOT") == (raw != text)


@given(PLAIN)
def test_escaped_text_reads_as_it_was(text: str) -> None:
    """Whatever people wrote, but for marks of bold and the like: escaped, it holds no token, and decodes to itself."""
    assume(not mrkdwn.EMPHASIS.search(text))
    escaped = mrkdwn.escape(text)
    assert not re.search(r"[<>]", escaped)
    assert decoded(escaped) == text
    assert html.unescape(escaped) == text or "&" in text


@given(st.text())
def test_any_text_can_be_decoded(text: str) -> None:
    """No text, however broken, stops a thread from being read."""
    decoded(text)
    mrkdwn.without_mention(text, "U1")


@given(st.text(), st.text(min_size=1))
def test_a_link_is_one_token(title: str, url: str) -> None:
    """Neither title nor address can end the link early."""
    link = mrkdwn.link(title, url)
    assert re.fullmatch(r"<[^<>|\n]*(\|[^<>\n]+)?>", link)


@given(st.text(alphabet="a <>&amp;|\n", max_size=80), st.integers(min_value=10, max_value=60))
def test_cut_text_fits(text: str, longest: int) -> None:
    """What is cut is no longer than allowed and says that it was cut; what fits is left alone."""
    fitted = mrkdwn.fit(text, longest)
    assert fitted == text if len(text) <= longest else len(fitted) <= longest and fitted.endswith("…")


def test_a_link_is_never_cut() -> None:
    """A link that does not fit goes as a whole."""
    text = "See " + "x" * 20 + " <https://x.io/very/long|a very long title>"
    assert mrkdwn.fit(text, 55) == "See " + "x" * 20 + "…"


def test_a_word_or_an_entity_is_not_cut_either() -> None:
    """The cut falls between words; in one endless word it spares the entity."""
    assert mrkdwn.fit("one two three", 10) == "one two…"
    assert mrkdwn.fit("x" * 7 + "&amp;" + "x" * 20, 12) == "x" * 7 + "…"
