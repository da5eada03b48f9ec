"""How work is named: an order that can be understood in a tracker, where nobody has the thread at hand."""

import pytest

from discubot_pipeline.adapters.learned.antecedents import completed
from discubot_pipeline.adapters.learned.talk import hear
from discubot_pipeline.adapters.learned.titles import Titles
from discubot_pipeline.adapters.learned.weights import learned
from discubot_pipeline.adapters.rules.people import People
from discubot_pipeline.adapters.rules.sentences import read
from tests.adapters.rules.briefs import Line, brief

THREE_LEFT = "The Pay now button is cut off on iPhone SE\nWe still send the old mail\nThe docs say `/v1/pay`"
TITLES = (
    ("The certificate for api.example.com runs out soon", "I'll renew it", "Renew the certificate for api.example.com"),
    ("The copyright year is hardcoded", "I'll make it dynamic", "Make the copyright year dynamic"),
    (
        "host.docker.internal is missing",
        "I'll add it to the compose file",
        "Add host.docker.internal to the compose file",
    ),
    ("Should we put a banner on the help page?", "Can you write it?", "Write a banner on the help page"),
    ("Can we see a version without the sidebar?", "I'll mock one up", "Mock up a version without the sidebar"),
    ("Could you update the pricing page?", "I'll do it", "Update the pricing page"),
    ("We need to encode it as UTF-8", "Can you do that until Wednesday, Ann?", "Encode it as UTF-8"),
    ("The footer links are broken", "I'll fix them", "Fix the footer links"),
    ("The export truncates after 65k rows", "Want me to?", "The export truncates after 65k rows"),
    ("Our org has 31 outside collaborators", "I'll remove them", "Remove: Our org has 31 outside collaborators"),
    (THREE_LEFT, "I can take the button. I'll fix it", "Fix the Pay now button being cut off on iPhone SE"),
    ("The password may hold emoji. We need to encode it as UTF-8", "I'll do that", "Encode the password as UTF-8"),
    ("Hi", "Let's move the menu. Could you make a design for that?", "Make a design for the menu"),
    ("Hi", "Find the lease and scan it", "Find the lease and scan it"),
    ("Hi", "The contact form sends its mail nowhere", "Fix the contact form: it sends its mail nowhere"),
    ("Hi", "The results are not sorted", "Fix the results: they are not sorted"),
    (
        "Le bot plante quand le message contient un emoji",
        "je corrige ça",
        "Le bot plante quand le message contient un emoji",
    ),
)


def title(*lines: Line, owner: str | None = None) -> str:
    """Name the work of a thread's last sentence, with what it likeliest means where it points back."""
    thread = brief(*lines)
    talk = completed(hear(thread.messages, read(thread.messages, People(thread))), learned().about)
    clause = max(talk.clauses, key=lambda each: (each.sentence.order, each.is_whole, bool(each.about), each.meant))
    return Titles(talk).of(clause, owner)


@pytest.mark.parametrize(("before", "said", "expected"), TITLES)
def test_a_title_says_what_is_to_be_done_and_to_what(before: str, said: str, expected: str) -> None:
    """A pointing word gives way to the name of what it means; where none fits, the thread's words stand behind."""
    assert title(("Ann", before), ("Bob", said)) == expected


def test_who_wants_something_is_named() -> None:
    """ "Send me" means nobody in a tracker, except to whoever wrote it and owns the work."""
    lines = (("Ann", "Hi"), ("Bob", "Please send me the new prices"))
    assert title(*lines, owner="Ann") == "Send Bob the new prices"
    assert title(*lines, owner="Bob") == "Send me the new prices"
