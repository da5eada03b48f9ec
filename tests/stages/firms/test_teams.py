"""Two teams whose channels, threads and people have the same ids, and who share a Figma file, at work at once.

Nothing of one is the other's.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import zip_longest
from secrets import token_hex
from typing import Any

import pytest
import sqlalchemy as sa

from discubot_pipeline import outside
from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.domain.discussion import DiscussionStatus
from discubot_pipeline.domain.job import RunOutcome
from discubot_pipeline.store.limits import Rate
from discubot_pipeline.store.tables import discussions, inboxes, metadata, outputs, people, tasks
from discubot_pipeline.wiring import Services
from tests.conftest import Sandbox
from tests.stages.firms.conftest import FirmOf
from tests.stages.firms.drawing import FIGMA, Drawing
from tests.stages.firms.rig import SLACK, Firm, Made, unlimited, work_all
from tests.store.samples import rows

WORKERS, THREADS, MENTIONS = 8, 25, 2
"""Of each team so many threads with so many mentions, in Slack and in Figma: 200 deliveries of two teams."""


def canary_of(firm: Firm) -> str:
    """Give the word that only this team knows."""
    return str(firm.slack["name"])


def ask(firm: Firm, thread: int) -> list[int]:
    """Let the people of a team write a thread and mention the bot in it; gives the deliveries."""
    root, word = f"17637{thread:05}.000100", canary_of(firm)
    firm.say(root, f"The header of page {thread} is broken, says {word}", "U1")
    firm.say(f"17637{thread:05}.000200", f"Ben {word} can fix it by Friday", "U2", root)
    return [
        firm.mention(root, f"17637{thread:05}.{number:06}", f"task: Fix page {thread} for {word}", "U1")
        for number in range(300, 300 + MENTIONS)
    ]


def comment(drawing: Drawing, firm: Firm, thread: int) -> None:
    """Let the people of a team talk in the shared file and call their bot; the other team's is told and stays out."""
    word = canary_of(firm)
    root = drawing.say(word, f"The picture of page {thread} is cut off, says {word}")
    for number in range(MENTIONS):
        answers = drawing.call(word, root, f"task: Fix picture {thread} for {word}, part {number}")
        assert answers == {name: "accepted" if name == word else "not_a_mention" for name in drawing.sources}


@pytest.fixture
def firms(firm: FirmOf, services: Services) -> list[Firm]:
    """Give two teams whose channels, threads and people have the same ids, and whose names are canaries."""
    made = [firm(f"canary-{token_hex(6)}") for _ in range(2)]
    for each in made:
        word = canary_of(each)
        each.person("U1", f"Anna {word}")
        each.person("U2", f"Ben {word}")
        each.output(f"tasks-{word}", is_default=True)
    return made


@pytest.fixture
def drawing(firms: list[Firm], sandbox: Sandbox) -> Drawing:
    """Give the file that both teams comment on."""
    return Drawing(sandbox, firms).open([canary_of(firm) for firm in firms])


@pytest.fixture
def done(
    firms: list[Firm], drawing: Drawing, services: Services, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> list[Made]:
    """Deliver everything interleaved, and let eight workers work until nothing is due."""
    monkeypatch.setattr(outside, "NOTION_RATE", Rate(per_minute=100_000, burst=10_000))
    calls = [
        call
        for thread in range(THREADS)
        for firm in firms
        for call in (partial(ask, firm, thread), partial(comment, drawing, firm, thread))
    ]
    with unlimited(sandbox), ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda call: call(), calls))
        results = [pool.submit(work_all, services) for _ in range(WORKERS)]
        return [made for result in results for made in result.result(150)]


def test_nothing_crosses_over(done: list[Made], firms: list[Firm], drawing: Drawing, engine: sa.Engine) -> None:
    """Rows, pages and answers of each team have its own canary and never the other's."""
    assert {made.outcome.outcome for made in done} == {RunOutcome.COMPLETED}
    for mine, other in (firms, reversed(firms)):
        inspect_rows(engine, mine, canary_of(other))
        inspect_notion(mine, canary_of(other))
        inspect_slack(mine, canary_of(other))
        inspect_figma(drawing, canary_of(mine), canary_of(other))
    all_is_done(engine, firms)


def inspect_rows(engine: sa.Engine, firm: Firm, stranger: str) -> None:
    """Look through every table that has teams: none of this team's rows knows the other's canary."""
    seen = 0
    for table in metadata.sorted_tables:
        if "team_id" not in table.c:
            continue
        for row in rows(engine, table, table.c.team_id == firm.config.team_id):
            assert stranger not in repr(tuple(row)), table.name
            seen += canary_of(firm) in repr(tuple(row))
    assert seen > 2 * THREADS * MENTIONS


def inspect_notion(firm: Firm, stranger: str) -> None:
    """Look through the pages of a team's database, with all their blocks."""
    [name] = firm.databases
    pages = firm.pages(name)
    assert len(pages) >= 2 * THREADS
    for page in pages:
        text = repr(firm.sandbox.control("GET", f"/notion/pages/{page['id']}")) + repr(page)
        assert canary_of(firm) in text and stranger not in text


def inspect_slack(firm: Firm, stranger: str) -> None:
    """Look through everything that stands in a team's channel."""
    threads = firm.threads()
    assert stranger not in repr(threads)
    for messages in threads.values():
        answers = [message["text"] for message in messages if message["is_bot"]]
        assert answers and all(canary_of(firm) in answer for answer in answers)


def inspect_figma(drawing: Drawing, canary: str, stranger: str) -> None:
    """Look through a team's threads in the shared file: each has answers, and all of it is the team's own."""
    threads = drawing.threads(canary)
    assert len(threads) == THREADS
    for comments in threads:
        assert stranger not in repr(comments)
        answers = [one for one in comments if one["user"]["handle"] == f"{canary}-bot"]
        assert answers and all(canary in one["message"] for one in comments)


def all_is_done(engine: sa.Engine, firms: list[Firm]) -> None:
    """Look that every delivery was worked on, and that the same thread id is two discussions."""
    deliveries: list[Any] = rows(engine, inboxes[SLACK]) + rows(engine, inboxes[FIGMA])
    worked = [row for row in deliveries if row.reason != "not_a_mention"]
    assert {row.status for row in worked} == {DeliveryStatus.DONE}
    assert len(worked) == len(firms) * 2 * THREADS * MENTIONS == 200
    assert all(row.payload is None for row in deliveries if row not in worked)
    found = rows(engine, discussions)
    assert {row.status for row in found} == {DiscussionStatus.COMPLETED}
    assert (len(found), len({row.source_thread_id for row in found})) == (4 * THREADS, 3 * THREADS)
    pages = [page["id"] for firm in firms for name in firm.databases for page in firm.pages(name)]
    assert sorted(row.notion_page_id for row in rows(engine, tasks)) == sorted(pages)
    by_team = {row.id: row.team_id for row in rows(engine, outputs)}
    assert all(by_team[row.output_id] == row.team_id for row in rows(engine, tasks))
    assert sorted(row.source_user_id for row in rows(engine, people)) == ["U1", "U1", "U2", "U2"]


def test_lines_are_interleaved(firms: list[Firm]) -> None:
    """The two teams' channels, threads and people do have the same ids: else the test would prove nothing."""
    for one, other in zip_longest(*[[ask(firm, 0) and firm.threads()] for firm in firms]):
        assert one.keys() == other.keys()
        assert [message["user"] for message in one["1763700000.000100"]] == [
            message["user"] for message in other["1763700000.000100"]
        ]
