"""Mails as Figma sends them, or might: which file they name, and which words of whom they quote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discubot_pipeline.adapters.callsign import Callsign
from discubot_pipeline.adapters.figmalinks import SITE, Target
from discubot_pipeline.adapters.figmamail import Letter, Mail, is_about_comments, is_from_figma
from tests.adapters.payloads import payload
from tests.adapters.source_harness import FUZZ

BOT = Callsign(names=("@discubot", "@testfigma"))
FROM = "Figma <comments-AbC123@email.figma.com>"


def html(name: str) -> str:
    """Read a mail's HTML."""
    return payload("mailgun", name, "html").decode()


def read(**letter: str) -> Mail:
    """Read a mail."""
    return Mail.of(Letter(**letter), BOT, SITE)


def words(mail: Mail) -> list[str]:
    """List the words that a mail quotes."""
    return [quote.text for quote in mail.quotes]


class TestQuotes:
    """Which words are a comment's."""

    def test_a_cell_with_the_mention(self) -> None:
        """Style rules, hidden previews, headings and the footer's own @mentions are no comments."""
        mail = read(html=html("mention"), author=FROM)
        assert words(mail) == ["@testfigma this is task 2"]

    def test_a_grouped_mail_quotes_each_comment(self) -> None:
        """Line breaks stay, markup goes, and each comment has the author of the heading above it."""
        mail = read(html=html("grouped"))
        assert [(quote.author, quote.text) for quote in mail.quotes] == [
            ("Anna de Vries", "@discubot the total is cut off & too small\nplease fix it"),
            ("Chloé Martin", "@Discubot unsubscribe link has the wrong colour"),
        ]

    def test_a_grouped_text_mail_quotes_each_comment(self) -> None:
        """Quotation marks and rules of plain mails are no words."""
        mail = read(plain=payload("mailgun", "grouped", "txt").decode())
        assert [(quote.author, quote.text) for quote in mail.quotes] == [
            ("Anna de Vries", "@discubot the total is cut off & too small\nplease fix it")
        ]

    def test_without_a_mention_what_stands_under_a_heading_counts(self) -> None:
        """A mail about somebody's reply quotes it, so that it is known not to call the bot."""
        assert words(read(plain="Ben Carter replied to a comment:\nLooks good to me\n\nView in Figma")) == [
            "Looks good to me"
        ]

    def test_the_longest_mention_wins(self) -> None:
        """A preview that cuts the comment short is part of it."""
        cut, full = "@discubot fix the", "@discubot fix the header and the footer"
        assert words(read(html=f"<p>{cut}</p><p>{full}</p>")) == [full]

    def test_a_comment_in_an_element_of_that_name(self) -> None:
        """Where neither mention nor heading helps, the class of an element may."""
        mail = read(html='<div class="intro">Hello there</div><div class="Comment-Text">Fix it</div>')
        assert words(mail) == ["Fix it"]

    def test_another_persons_mention(self) -> None:
        """Somebody's name with an @ is better than nothing, if it is no footer."""
        assert words(read(html="<p>Some long introduction here</p><p>@ann look</p><p>Mute @mentions</p>")) == [
            "@ann look"
        ]

    def test_the_longest_text_is_the_last_guess(self) -> None:
        """Better one guess than none: it is compared with the file's comments."""
        assert words(read(plain="Hi\n\nplease make the button bigger\n\nView in Figma")) == [
            "please make the button bigger"
        ]

    @pytest.mark.parametrize("blank", ["", " \n\t\r\n "])
    def test_blank_text_falls_back_to_html(self, blank: str) -> None:
        """Some mails have no text worth the name."""
        assert words(read(stripped=blank, plain=blank, html="<td>@discubot fix it</td>")) == ["@discubot fix it"]

    @pytest.mark.parametrize(
        "html",
        [
            "",
            "<",
            "<td>@discubot fix it",
            "</td></p>@discubot fix it</div>",
            "<table><tr><td><p>@discubot fix it</table></td>",
            "<!-- x --><p>@discubot fix it<![CDATA[y",
        ],
    )
    def test_broken_html_is_read_as_far_as_it_goes(self, html: str) -> None:
        """Mail programs are not strict either."""
        assert words(read(html=html)) in ([], ["<"], ["@discubot fix it"], ["@discubot fix it<![CDATA[y"])

    def test_a_deep_mail_ends(self) -> None:
        """Nothing in it costs more than its length."""
        assert words(read(html="<div>" * 50_000 + "@discubot fix it")) == ["@discubot fix it"]
        assert words(read(html="<div>" * 20_000 + "</div>" * 20_000 + "</p>" * 5_000 + "@discubot fix it"))

    @FUZZ
    @given(st.text(), st.text(), st.text())
    def test_any_text_is_a_mail(self, plain: str, html: str, subject: str) -> None:
        """Whatever arrives, reading it ends in a value."""
        mail = read(plain=plain, html=f"<p>{html}", subject=subject, author=subject)
        assert all(quote.text.strip() for quote in mail.quotes)


class TestAuthor:
    """Whose words they are, where no heading above them says so."""

    @pytest.mark.parametrize(
        ("subject", "author", "name"),
        [
            ("Jane Smith commented on Mobile App Design", FROM, "Jane Smith"),
            ("Jane Smith mentioned you in Mobile App Design", FROM, "Jane Smith"),
            ("Comment from Jane Smith", FROM, "Jane Smith"),
            ("Re: Mobile App Design", "Jane Smith (via Figma) <comments-K@email.figma.com>", "Jane Smith"),
            ("Re: Mobile App Design", '"Jane Smith" <comments-K@email.figma.com>', "Jane Smith"),
            ("Re: Mobile App Design", FROM, None),
        ],
    )
    def test_subject_and_sender_name_the_author(self, subject: str, author: str, name: str | None) -> None:
        """The subject says it best; Figma itself is nobody."""
        [quote] = read(subject=subject, author=author, plain="@discubot fix it").quotes
        assert quote.author == name


class TestFile:
    """Which file, and which comment in it."""

    def test_the_sender_wins(self) -> None:
        """Links in a mail may lead to other files too."""
        mail = read(author="comments-KEY1@email.figma.com", html='<a href="https://www.figma.com/file/KEY2#12">x</a>')
        assert (mail.sender_key, mail.linked_key) == ("KEY1", "KEY2")

    def test_the_envelopes_sender_is_as_good(self) -> None:
        """Whichever of the two addresses holds the key."""
        assert read(sender="comments-KEY1@email.figma.com", author="Figma <no-reply@figma.com>").sender_key == "KEY1"

    @pytest.mark.parametrize(
        "author", ["comments-K@evil.example", "comments-K@figma.com.evil.example", "comments@figma.com"]
    )
    def test_a_strangers_address_names_no_file(self, author: str) -> None:
        """Only Figma's own senders count."""
        assert read(author=author).sender_key is None

    def test_links_name_file_and_comment(self) -> None:
        """Also when a tracking link carries them in its address; other hashes and images are no keys."""
        mail = read(
            html='<a href="https://www.figma.com/file/xYz789AbC/Mobile?node-id=1-2#4711">View</a>'
            '<a href="https://click.figma.com/ls?to=https%3A%2F%2Fwww.figma.com%2Fboard%2FFigJam1%2Fx%2312">y</a>'
            '<a href="https://www.figma.com/uploads/0123456789abcdef0123456789abcdef01234567">z</a>'
            '<a href="https://evil.example/ls?to=https%3A%2F%2Fwww.figma.com%2Ffile%2FEvil%2Fx%2312">y</a>',
            plain="https://www.figma.com/proto/Proto9/x",
        )
        assert mail.linked == (
            Target(file_key="xYz789AbC", comment_id="4711"),
            Target(file_key="FigJam1", comment_id="12"),
            Target(file_key="Proto9"),
        )
        assert mail.comment_ids == ["4711", "12"]
        assert mail.redirects == ()

    def test_redirects_are_kept_to_be_followed(self) -> None:
        """At most three, each once, and only Figma's own."""
        mail = read(html=html("mention") + '<a href="https://click.evil.example/x">x</a>')
        assert mail.redirects == ("https://click.figma.com/u/1", "https://click.figma.com/uni/ls/click?upn=abc123")


class TestKind:
    """Mails about comments, and others."""

    @pytest.mark.parametrize(
        ("subject", "author", "is_comment"),
        [
            ("Anything", FROM, True),
            ("Jane commented on X", "Figma <no-reply@figma.com>", True),
            ("JANE LEFT A COMMENT ON X", "no-reply@figma.com", True),
            ("2 new comments on X", "no-reply@figma.com", True),
            ("Verify your e-mail address", "no-reply@figma.com", False),
            ("Reset your password", "no-reply@figma.com", False),
            ("Jane invited you to X", "no-reply@figma.com", False),
            ("Jane invited you to comment on X", "no-reply@figma.com", False),
            ("Verify your e-mail address to comment on X", "no-reply@figma.com", False),
            ("Jane commented on Reset your password", "no-reply@figma.com", True),
            ("Invitation to comment on X", "no-reply@figma.com", False),
            ("New comments on Wedding invitation", "no-reply@figma.com", True),
            ("Confirm dialog: new comments", "no-reply@figma.com", True),
            ("Ann invited you to comment on X", FROM, True),
            ("", "no-reply@figma.com", False),
        ],
    )
    def test_only_mails_about_comments_count(self, subject: str, author: str, is_comment: bool) -> None:
        """Invitations and security mails are none of ours."""
        assert is_about_comments(Letter(subject=subject, author=author)) is is_comment

    @pytest.mark.parametrize(
        ("author", "is_figmas"),
        [
            (FROM, True),
            ("x@figma.com", True),
            ("figma.com", False),
            ("x@notfigma.com", False),
            ("x@figma.com.evil.example", False),
            ("figma.com <x@evil.example>", False),
            ("", False),
        ],
    )
    def test_figmas_addresses(self, author: str, is_figmas: bool) -> None:
        """The domain decides, not the name beside it."""
        assert is_from_figma(author) is is_figmas
