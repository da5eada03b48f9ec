"""What a clause speaks of when it does not say so itself."""

from discubot_pipeline.adapters.learned.antecedents import antecedents, completed, is_weak
from discubot_pipeline.adapters.learned.talk import Clause, Talk, hear
from discubot_pipeline.adapters.learned.weights import learned
from discubot_pipeline.adapters.rules.people import People
from discubot_pipeline.adapters.rules.sentences import read
from tests.adapters.rules.briefs import Line, brief


def talk(*lines: Line) -> Talk:
    """Hear a thread."""
    thread = brief(*lines)
    return hear(thread.messages, read(thread.messages, People(thread)))


def clause(heard: Talk, title: str) -> Clause:
    """Give the clause of a title."""
    return next(each for each in heard.clauses if each.title == title)


def test_a_clause_that_only_points_back_is_weak() -> None:
    """ "Fix that" does not say what; "fix the footer links" does."""
    heard = talk(("Ann", "Can you fix that?"), ("Bob", "I'll fix the footer links on mobile"))
    assert is_weak(clause(heard, "Can you fix that"))
    assert not is_weak(clause(heard, "I'll fix the footer links on mobile"))


def test_only_what_was_said_before_can_be_meant() -> None:
    """What comes later is no antecedent."""
    heard = talk(("Ann", "The footer links are broken"), ("Bob", "I'll fix them"), ("Ann", "The header is fine though"))
    before = antecedents(heard.clauses, clause(heard, "I'll fix them"))
    assert [each.title for each in before] == ["The footer links are broken"]


def test_a_title_says_what_is_meant() -> None:
    """A promise about "them" takes the words of the message that it answers."""
    heard = talk(("Ann", "The footer links are broken"), ("Bob", "I'll fix them"))
    added = [each for each in completed(heard, learned().about).clauses if each.about]
    assert [each.title for each in added] == ["I'll fix them (The footer links are broken)"]


def test_words_that_only_agree_are_left_out_of_the_title() -> None:
    """Of "sure, will do" nothing is worth telling."""
    heard = talk(("Ann", "The footer links are broken"), ("Bob", "Sure, will do"))
    added = {each.title for each in completed(heard, learned().about).clauses if each.about}
    assert added <= {"The footer links are broken"}


def test_who_names_the_work_needs_nothing_else() -> None:
    """A clause that says what it is about stays as it is."""
    heard = talk(("Ann", "The footer links are broken"), ("Bob", "I'll update the sitemap page today"))
    assert not [each for each in completed(heard, learned().about).clauses if each.about]
