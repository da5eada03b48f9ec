"""What every analyst must hold to, whatever reads the thread. A test class inherits it and gives `analyst`."""

from datetime import UTC, datetime, timedelta

from discubot_pipeline.domain.analysis import Brief, Findings
from discubot_pipeline.domain.discussion import Author, Message
from discubot_pipeline.ports import Analyst

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
LINES = (
    ("Ann", "The checkout is broken on mobile since the release."),
    ("Bob", "Can you please fix the Pay button by Friday, Ann?"),
    ("Ann", "Sure, I'll do it tomorrow."),
    ("Bob", "We also need to update the docs."),
)


def message(number: int, author: str, text: str) -> Message:
    """Write one message, a minute after the one before."""
    person = Author(id=f"U{author}", name=author)
    return Message(id=str(number), author=person, text=text, sent_at=START + timedelta(minutes=number))


def brief(*lines: tuple[str, str], instruction: str | None = None, **changes: object) -> Brief:
    """Brief an analyst on a thread."""
    said = tuple(message(number, *line) for number, line in enumerate(lines))
    asked = (message(len(lines), "Ann", instruction),) if instruction else ()
    people = tuple({author: None for author, _ in lines})
    return Brief(title="A thread", messages=said + asked, instructions=asked, people=people).model_copy(update=changes)


class AnalystConformance:
    """The suite."""

    analyst: Analyst

    def find(self, brief: Brief) -> Findings:
        """Let the analyst read a brief."""
        return self.analyst.analyze(brief).findings

    def test_it_has_a_name(self) -> None:
        """The name stands on pages and in records."""
        assert self.analyst.name

    def test_work_becomes_tasks(self) -> None:
        """A thread with a clear request has a task, with a title and a message that says so."""
        findings = self.find(brief(*LINES))
        assert findings.tasks
        assert findings.summary
        assert {task.evidence for task in findings.tasks} <= {"0", "1", "2", "3", None}

    def test_nobody_is_invented(self) -> None:
        """A task goes to somebody in the thread, or to nobody."""
        findings = self.find(brief(*LINES, ("Bob", "Zoe should ask Mallory to write the tests.")))
        assert {task.assignee for task in findings.tasks} <= {"Ann", "Bob", None}

    def test_words_beside_a_mention_are_at_least_one_task(self) -> None:
        """What is asked of the bot directly is a task, whatever else the thread says."""
        assert self.find(brief(LINES[0], instruction="fix the header")).tasks

    def test_a_task_can_be_forced(self) -> None:
        """“task: …” makes a task of exactly these words."""
        tasks = self.find(brief(LINES[0], instruction="task: talk to the bank")).tasks
        assert [task.title.casefold() for task in tasks] == ["talk to the bank"]

    def test_the_limit_is_kept(self) -> None:
        """No more tasks than the settings allow."""
        many = [("Ann", f"TODO: update page number {number} of the handbook") for number in range(12)]
        assert len(self.find(brief(*many, max_tasks=3)).tasks) <= 3

    def test_small_talk_is_no_work(self) -> None:
        """A thread without a request has no task."""
        assert not self.find(brief(("Ann", "Good morning!"), ("Bob", "Morning, how are you?"))).tasks

    def test_an_empty_thread_is_fine(self) -> None:
        """Nothing in, nothing found, no error."""
        assert not self.find(brief()).tasks

    def test_no_address_is_invented(self) -> None:
        """Whatever link is in a task was in the thread."""
        findings = self.find(brief(*LINES, ("Bob", "See https://x.example/a for the Pay button.")))
        text = " ".join(f"{task.title} {task.description} {' '.join(task.action_items)}" for task in findings.tasks)
        assert {word for word in text.split() if "://" in word} <= {"https://x.example/a"}
