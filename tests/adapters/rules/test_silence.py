"""What is no task: precision comes before recall."""

import pytest

from tests.adapters.rules.briefs import titles


@pytest.mark.parametrize(
    "text",
    [
        "I fixed the header and we deployed it",
        "We updated the docs yesterday",
        "Can you explain how the login works?",
        "Does anyone know how to deploy this?",
        "Should I use React or Vue?",
        "How do I update the header?",
        "What should we do about the footer?",
        "If we had more time we could add dark mode",
        "We could maybe add caching some day",
        "Maybe we should rewrite the importer at some point",
        "lol we should rewrite everything in Rust 😂",
        "Please don't change the header",
        "Don't touch the footer!",
        "No need to update the docs",
        "We won't change the header",
        "Good morning everyone! Have a great day",
        "Thanks a lot, well done!",
        "You can use flexbox for that",
        "You should be able to update it in the settings",
        "Try make clean",
        "You need to add `import lists`",
        "> please fix the header\nI think that was last week",
        "```\nTODO: fix the header\nplease update the footer\n```",
        'She said "please fix the header" and laughed',
        "Please note that the office is closed on Friday. Please be patient.",
        "Please let me know what you think",
        "Please find attached the report",
        "Let me know if you have questions",
        "Let's see what happens. Let's say it breaks.",
        "Update: the build is green. Test results look good. Design review is done.",
        "Release 2.0 is out",
        "Could you give me an example?",
        "Can you share your code so I can reproduce it?",
        "I'll think about it. I'll let you know.",
        "If it happens again, I'll open an issue",
        "I might update the docs at some point",
        "The button that we need to press is green",
        "It was hard to fix the header and update the footer",
        "Steps to reproduce:\n1. Open the page\n2. Update the name",
        "Changes:\n- Add dark mode\n- Fix the header",
        "Here's how:\n1. create a file\n2. add the line",
        "- [x] fix the header\n- [x] update the footer",
        "~Please fix the header~",
        "can you summarize this?",
        "",
        "   \n\t ",
        "👍🎉",
        "`please fix the header`",
        "https://example.org/please/fix/the/header",
    ],
)
def test_no_task(text: str) -> None:
    """Talk, past, questions, wishes, prohibitions, quotations and code hold no task."""
    assert titles(("Cat", text)) == []


@pytest.mark.parametrize(
    "later",
    [
        "never mind",
        "Never mind, found it in the settings",
        "nvm",
        "done",
        "Done, just pushed.",
        "fixed, thanks",
        "already merged",
        "It's done!",
        "The header is fixed",
        "fixed the header",
        "we decided not to",
        "no longer needed",
        "false alarm",
    ],
)
def test_withdrawn_or_done_later(later: str) -> None:
    """What was called off or finished later in the thread is no task any more."""
    assert titles(("Ann", "Can you fix the header?"), ("Bob", later)) == []
