"""What is a task, how many, and under which title."""

import pytest

from discubot_pipeline.adapters.rules.analyst import RuleAnalyst
from tests.adapters.rules.briefs import brief, findings, only, tasks, titles


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fix the header and update the footer", ["Fix the header", "Update the footer"]),
        (
            "Create a new login page, add validation, and setup routing",
            ["Create a new login page", "Add validation", "Setup routing"],
        ),
        ("Fix the header styling", ["Fix the header styling"]),
        (
            "Update all the buttons to use the new design system",
            ["Update all the buttons to use the new design system"],
        ),
        ("Convert codebase to JavaScript", ["Convert codebase to JavaScript"]),
        ("We need to update the colors and test on mobile", ["Update the colors and test on mobile"]),
    ],
)
def test_golden(text: str, expected: list[str]) -> None:
    """The golden cases of the older systems come out as one task for each piece of work."""
    assert titles(("Cat", text)) == expected


def test_one_goal_has_action_items() -> None:
    """What "we need to" joins are the action items of one task, and nothing else is."""
    assert only(("Cat", "We need to update the colors and test on mobile")).action_items == (
        "Update the colors",
        "Test on mobile",
    )
    assert only(("Cat", "Convert codebase to JavaScript")).action_items == ()


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Hi Bob, can you please update the pricing table? Thanks!", "Update the pricing table"),
        ("Could someone please upload the slides?", "Upload the slides"),
        ("We still need to renew the certificate.", "Renew the certificate"),
        ("Let's move the search box into the header.", "Move the search box into the header"),
        ("TODO: write the release notes", "Write the release notes"),
        ("TODO write the release notes", "Write the release notes"),
        ("Action item: send the contract to Acme", "Send the contract to Acme"),
        ('Please rename the button to "Save".', 'Rename the button to "Save"'),
        (
            "Hey team, when you get a chance, please review the draft of the blog post",
            "Review the draft of the blog post",
        ),
        ("I'll update the docs tomorrow", "Update the docs"),
        ("Would you mind updating the pricing table?", "Update the pricing table"),
        ("It would be great if someone could translate the FAQ", "Translate the FAQ"),
        ("Don't forget to cancel the old subscription", "Cancel the old subscription"),
        ("The header needs to be updated before Friday", "Update the header"),
        ("The logo needs replacing", "Replace the logo"),
        ("We agreed to drop the old importer", "Drop the old importer"),
        ("feature request: dark mode for the dashboard", "Add dark mode for the dashboard"),
        ("We need a new onboarding video by 3 April", "Get a new onboarding video"),
        ("The export is slow, can you fix it asap?", "Fix the export being slow"),
        ("Please send the figures to finance, so that they can close the quarter", "Send the figures to finance"),
        ("Fix the **big** header 🎉 and please do it :pray:", "Fix the big header"),
    ],
)
def test_ways_of_asking(text: str, title: str) -> None:
    """Each way of asking gives one task with a clean imperative title."""
    assert titles(("Cat", text)) == [title]


@pytest.mark.parametrize(
    "text",
    [
        "Fix the copy and paste buttons",
        "Update the design and build system of the shop",
        "Add a script to fetch the data and build the report",
        "Design and test the login page",
        "Ask Bob to check the contract and sign the offer, please",
    ],
)
def test_no_split_inside_one_piece_of_work(text: str) -> None:
    """Joined words that belong to one piece of work stay together."""
    assert len(titles(("Cat", text))) == 1


def test_second_order_that_points_back_is_a_step() -> None:
    """ "Update the docs and send them to Ann" is one task with two steps."""
    task = only(("Cat", "Please update the manual and send it to Ann"))
    assert task.action_items == ("Update the manual", "Send it to Ann")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("bug: export fails on Safari", "Fix export failing on Safari"),
        (
            "The login page crashes when I press Enter. Can someone fix that?",
            "Fix the login page crashing when I press Enter",
        ),
        ("The export button is broken on Safari, can you fix it?", "Fix the export button on Safari"),
        ("Users are complaining that search is slow. Can someone look into it?", "Fix search being slow"),
        ("The upload doesn't work on phones. Please fix this!", "Fix the upload not working on phones"),
    ],
)
def test_bug_that_someone_wants_fixed(text: str, title: str) -> None:
    """A report and the wish to have it fixed are one bug."""
    task = only(("Cat", text))
    assert task.title == title
    assert task.type == "bug"


def test_bug_report_alone_is_no_task() -> None:
    """Nobody asked for a repair."""
    assert titles(("Cat", "The login page crashes when I press Enter.")) == []


def test_links_and_code_are_kept_and_never_invented() -> None:
    """A link goes to the description as it stood, code stays in the title."""
    task = only(("Cat", "Please rename `get_user` to `fetch_user`, see https://example.org/a?b=1"))
    assert task.title == "Rename `get_user` to `fetch_user`"
    assert task.description == "Please rename `get_user` to `fetch_user`, see https://example.org/a?b=1"


def test_link_is_the_object_where_no_other_is_named() -> None:
    """ "PR is up: (link) - please review" asks to review the link."""
    assert titles(("Bob", "PR is up: https://example.org/pull/1 - please review when you have time")) == [
        "Review https://example.org/pull/1"
    ]


def test_long_asks_are_cut_at_a_word() -> None:
    """No title is longer than twelve words and a hundred characters."""
    task = only(("Cat", "Please update " + "the extraordinarily complicated configuration " * 8 + "today"))
    assert len(task.title.split()) <= 12
    assert len(task.title) <= 100


def test_surest_tasks_are_kept_when_there_are_too_many() -> None:
    """More tasks than wanted are cut to the surest, in their order."""
    lines = [("Cat", f"Fix the {name} page") for name in ("first", "second", "third", "fourth")]
    found = RuleAnalyst().find(brief(*lines, ("Cat", "TODO: renew the certificate"), most=2))
    assert [task.title for task in found.tasks] == ["Fix the first page", "Renew the certificate"]


def test_confidence_is_low_without_an_ask() -> None:
    """A thread that asks for nothing says so."""
    assert findings(("Ann", "Lunch was nice.")).confidence < 0.5
    assert findings().confidence < 0.2
    assert findings(("Ann", "TODO: fix the header")).confidence > 0.8


def test_tasks_of_bots_have_no_bot_as_owner() -> None:
    """A bot's own "I'll" assigns nobody."""
    assert [task.assignee for task in tasks(("Ann", "Can you update the docs?"), ("discubot", "On it"))] == [None]
