"""Priority, type, tags and domain: read off words, null where they do not say."""

import pytest

from tests.adapters.rules.briefs import only


@pytest.mark.parametrize(
    ("text", "priority"),
    [
        ("Please fix the header asap", "urgent"),
        ("Urgent: please fix the header", "urgent"),
        ("Please fix the header. It is urgent!", "urgent"),
        ("URGENT! Please fix the header", "urgent"),
        ("Please fix the header, this is critical", "urgent"),
        ("Please fix the header (P1)", "high"),
        ("Please fix the header, it's important", "high"),
        ("Please fix the header, high priority", "high"),
        ("Please fix the header (P2)", "medium"),
        ("Please fix the header whenever you have time", "low"),
        ("Please fix the header, low priority", "low"),
        ("Please fix the header, nice to have", "low"),
        ("Please fix the header, no rush", "low"),
        ("Please fix the header, not urgent", None),
        ("Please fix the header, it isn't critical", None),
        ("Please fix the header", None),
    ],
)
def test_priority(text: str, priority: str | None) -> None:
    """Words decide, and "not" takes them back."""
    task = only(("Cat", text))
    assert task.priority == priority
    assert task.title == "Fix the header"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Please fix the crash on the login page", "bug"),
        ("Please add a dark mode", "feature"),
        ("Please refactor the importer", "improvement"),
        ("Please find out whether we may use the logo, Bob", "question"),
        ("TODO: clarify the scope with the client", "question"),
        ("Please update the footer", None),
    ],
)
def test_type(text: str, kind: str | None) -> None:
    """The kind of work where the words say it."""
    assert only(("Cat", text)).type == kind


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Please change the button colours", "design"),
        ("Please add an API endpoint for invoices", "backend"),
        ("Please rewrite the React component", "frontend"),
        ("Please write down the requirements", "product"),
        ("Please align the API with the mockups", None),
        ("Please book the room", None),
    ],
)
def test_domain(text: str, domain: str | None) -> None:
    """One domain's words name it; none or two do not."""
    assert only(("Cat", text)).domain == domain


def test_tags_are_the_hashtags() -> None:
    """Hashtags are tags and leave the title; numbers and languages are none."""
    task = only(("Cat", "Please fix the header #web #Q2-launch, see #123. #lang typed/scheme"))
    assert task.tags == ("web", "q2-launch")
    assert task.title == "Fix the header"
