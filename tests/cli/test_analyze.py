"""`discubot analyze`: threads from files, analyses on standard output, nothing anywhere else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from discubot_pipeline.cli.analyze import ThreadFile, analyze_lines
from discubot_pipeline.cli.main import main

ANN = {"author": "Ann", "text": "the login page is down again", "ts": "2026-03-02T10:00:00Z"}
BEN = {"author": "Ben", "text": "I'll fix the login page by Friday", "ts": "2026-03-02T10:05:00Z"}
THREAD: dict[str, Any] = {"source": "slack", "date": "2026-03-02", "people": ["Ann"], "messages": [ANN, BEN]}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def run(*arguments: str, given: object = None) -> Result:
    """Run the command with something on standard input."""
    text = given if isinstance(given, str) else json.dumps(given)
    return CliRunner().invoke(main, ["analyze", *arguments], input=text)


def one(**changes: object) -> ThreadFile:
    """Read the sample thread with some keys changed."""
    return ThreadFile.read({**THREAD, **changes})


def said(text: str, **more: object) -> list[dict[str, object]]:
    """Write the messages of a thread of one."""
    return [{"author": "Ann", "text": text, **more}]


class TestOneThread:
    """A thread in a file."""

    def test_the_analysis_is_json(self, tmp_path: Path) -> None:
        """The whole analysis is printed, each task with all its fields."""
        path = tmp_path / "thread.json"
        path.write_text(json.dumps(THREAD))
        answer = run(str(path), "--json")
        assert answer.exit_code == 0
        analysis = json.loads(answer.stdout)
        assert {"analyst", "summary", "key_points", "sentiment", "confidence", "tasks"} == set(analysis)
        (task,) = analysis["tasks"]
        assert "login page" in task["title"]
        assert (task["assignee"], task["due_date"]) == ("Ben", "2026-03-06")
        assert {"description", "action_items", "priority", "type", "status", "tags", "domain"} <= set(task)

    def test_people_read_text(self) -> None:
        """Without --json the tasks come numbered, with what is known of them."""
        answer = run("-", given=THREAD)
        assert "1. Fix the login page" in answer.stdout
        assert "(for Ben, by 2026-03-06" in answer.stdout

    def test_no_task_is_said(self) -> None:
        """A thread without a task says so."""
        answer = run("-", given={**THREAD, "messages": said("thanks, great work everybody")})
        assert answer.stdout.endswith("No tasks.\n")

    def test_unknown_keys_are_never_copied(self) -> None:
        """What the thread holds beside the known keys stays out of the output."""
        answer = run("-", "--json", given={**THREAD, "tasks": ["canary"], "label": {"canary": 1}})
        assert answer.exit_code == 0
        assert "canary" not in answer.stdout

    def test_it_needs_no_running_system(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """Neither a database nor settings are looked at, and no file is written."""
        monkeypatch.setenv("DISCUBOT_DATABASE_URL", "postgresql://nowhere.invalid/none")
        monkeypatch.setenv("DISCUBOT_HOME", str(tmp_path / "home"))
        monkeypatch.chdir(tmp_path)
        assert run("-", "--json", given=THREAD).exit_code == 0
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("thread", "complaint"),
        [
            ("nonsense", "is not JSON: Expecting value at column 1."),
            ("[" * 100_000, "is not JSON that can be read."),
            ([], "must be an object with messages."),
            ({}, "messages: is missing."),
            ({**THREAD, "messages": []}, "messages: must not be empty."),
            ({**THREAD, "messages": [{"text": "x"}]}, "messages[0].author: is missing."),
            ({**THREAD, "messages": [ANN, {"author": "Ann"}]}, "messages[1].text: is missing."),
            ({**THREAD, "messages": said("x", ts="soon")}, "messages[0].ts: must be an ISO 8601 time"),
            ({**THREAD, "messages": said("x", ts=True)}, "messages[0].ts: must be an ISO 8601 time"),
            ({**THREAD, "messages": said("x", ts=1e300)}, "messages[0].ts: must be an ISO 8601 time"),
            ({"messages": said("x")}, "messages[0].ts: is missing, and the thread has no date."),
            (
                {**THREAD, "messages": said("x", ts="9999-12-31T23:59:00Z")},
                "messages[0].ts: must be of a year from 1900",
            ),
            ({**THREAD, "date": "0001-01-01"}, "date: must be of a year from 1900 to 9000."),
            ({**THREAD, "date": "2 March"}, "date: must be a date like 2026-03-02."),
            ({**THREAD, "date": 20260302}, "date: must be a date like 2026-03-02."),
            ({**THREAD, "time_zone": "Mars"}, "time_zone: must be a time zone like Europe/Amsterdam."),
            ({**THREAD, "people": "Ann"}, "people: must be a valid tuple."),
            ({**THREAD, "instructions": [2]}, "instructions[0]: must be the place of a message, counted from 0."),
        ],
    )
    def test_a_bad_file_is_one_sentence(self, thread: object, complaint: str) -> None:
        """What is wrong is said with its field, and never with what the thread holds."""
        answer = run("-", "--json", given=thread)
        assert answer.exit_code == 1
        assert complaint in answer.stderr
        assert "Traceback" not in answer.stderr
        assert answer.stdout == ""


class TestReading:
    """What an analyst is given of a thread file."""

    @pytest.mark.parametrize(
        ("ts", "moment"),
        [
            ("2026-03-02T10:00:00Z", "2026-03-02T10:00:00+00:00"),
            ("2026-03-02T10:00:00+02:00", "2026-03-02T10:00:00+02:00"),
            ("2026-03-02T10:00:00", "2026-03-02T10:00:00+01:00"),
            ("1763760000.000200", "2025-11-21T21:20:00.000200+00:00"),
            (1763760000, "2025-11-21T21:20:00+00:00"),
            (None, "2026-03-02T12:00:00+01:00"),
        ],
    )
    def test_times(self, ts: object, moment: str) -> None:
        """A time is ISO or Slack's seconds; without a zone it is the thread's, without a time the thread's noon."""
        line = {"author": "Ann", "text": "x"} | ({} if ts is None else {"ts": ts})
        brief = one(messages=[line], time_zone="Europe/Amsterdam").brief
        assert brief.messages[0].sent_at.isoformat() == moment

    def test_a_message_without_a_time_is_as_old_as_the_one_before(self) -> None:
        """Where the thread has no date, the last known time counts."""
        thread = ThreadFile.read({"messages": [ANN, {"author": "Ben", "text": "yes"}]})
        assert thread.brief.messages[1].sent_at == thread.brief.messages[0].sent_at

    def test_people_are_those_named_and_those_who_wrote(self) -> None:
        """A task may go to anybody in the list or in the thread, each once."""
        assert one(people=["Cleo", "Ann"]).brief.people == ("Cleo", "Ann", "Ben")

    def test_a_mention_of_the_bot_is_an_instruction(self) -> None:
        """Words beside a mention are an instruction and stay a message; a bare mention is neither."""
        brief = one(messages=[ANN, *said("@discubot: fix the footer"), *said("@Discubot")]).brief
        assert [message.text for message in brief.messages] == [ANN["text"], "fix the footer"]
        assert [message.text for message in brief.instructions] == ["fix the footer"]

    def test_instructions_are_places_or_words(self) -> None:
        """A place names a message; words stand as if the last author had said them."""
        brief = one(instructions=[0, "fix the footer"], instruction="and the header").brief
        assert [each.text for each in brief.instructions] == [ANN["text"], "fix the footer", "and the header"]
        assert brief.instructions[1].author.name == "Ben"
        assert len(brief.messages) == 2

    def test_slack_tokens_are_decoded_only_for_slack(self) -> None:
        """What an export holds is read as Slack shows it; elsewhere the text stays as it is."""
        raw = said("see <https://x.io|the plan> &amp; go", ts="1763760000.000200")
        assert one(messages=raw).brief.messages[0].text == "see the plan (https://x.io) & go"
        assert one(messages=raw, source="mail").brief.messages[0].text == raw[0]["text"]
        assert one(messages=said("a Vec<String> of :tada:")).brief.messages[0].text == "a Vec<String> of :tada:"

    @given(st.dictionaries(st.sampled_from([*THREAD, "id", "instruction", "instructions", "time_zone"]), JSON))
    def test_any_json_is_read_or_refused(self, changes: dict[str, object]) -> None:
        """Whatever a file holds is a thread or one sentence."""
        (well, line), *_ = analyze_lines([json.dumps({**THREAD, **changes}).encode()])
        assert well is ("error" not in json.loads(line))


class TestManyThreads:
    """One thread a line."""

    def test_one_result_a_line_in_their_order(self) -> None:
        """Each line has its result, with its id as it came; blank lines have none."""
        lines = [{**THREAD, "id": "b"}, {**THREAD, "id": 1}, THREAD]
        answer = run("--jsonl", "-", given="\n\n".join(json.dumps(line) for line in lines))
        results = [json.loads(line) for line in answer.stdout.splitlines()]
        assert answer.exit_code == 0
        assert [each.get("id") for each in results] == ["b", 1, None]
        assert all(each["tasks"] for each in results)
        assert "id" not in results[2]

    def test_a_bad_line_costs_only_itself(self) -> None:
        """The lines around a bad one have their results; the end is a failure."""
        bad = {**THREAD, "id": "bad", "messages": [{"author": "Ann", "text": 3}]}
        answer = run("--jsonl", "-", given="\n".join(["{", json.dumps(bad), json.dumps({**THREAD, "id": "good"})]))
        first, second, third = map(json.loads, answer.stdout.splitlines())
        assert answer.exit_code == 1
        assert first["id"] is None
        assert first["error"].startswith("line 1: is not JSON")
        assert second == {"id": "bad", "error": "line 2: messages[0].text: must be a valid string."}
        assert third["id"] == "good"

    def test_lines_stream(self) -> None:
        """A result comes before the next line is read."""
        read: list[int] = []

        def lines() -> Iterator[bytes]:
            for number in range(100_000):
                read.append(number)
                yield json.dumps(THREAD).encode()

        results = analyze_lines(lines())
        next(results)
        next(results)
        assert read == [0, 1]

    def test_text_that_is_no_text_is_refused(self) -> None:
        """Half a surrogate pair and bytes outside UTF-8 are errors of their line."""
        half = rb'{"id": "half", "date": "2026-03-02", "messages": [{"author": "Ann", "text": "\ud800"}]}'
        results = [(well, json.loads(line)) for well, line in analyze_lines([half, b'{"id": "\xff"}'])]
        assert [well for well, _ in results] == [False, False]
        assert results[0][1]["id"] == "half"
