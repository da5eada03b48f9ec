"""The Notion tracker against the sandbox's Notion, which refuses what Notion refuses."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from discubot_pipeline.adapters.notion import database_id_of
from discubot_pipeline.adapters.page import layout
from discubot_pipeline.domain.errors import Permanent, Transient, Unanswered
from tests.adapters.conftest import Sandbox
from tests.adapters.notion_space import MIDDLE, NEWEST, OLD, Workspace, workspace
from tests.adapters.tracker_conformance import (
    ANNA,
    TASK,
    Rig,
    TrackerConformance,
    just_now,
    long_ago,
    make_draft,
    make_message,
    messages_of,
)

HEX = "0123456789abcdef0123456789abcdef"
DASHED = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.fixture
def space(sandbox: Sandbox) -> Iterator[Workspace]:
    """Give a workspace whose database has a place for everything."""
    with workspace(sandbox) as made:
        yield made


@pytest.fixture
def keyless(sandbox: Sandbox) -> Iterator[Workspace]:
    """Give a workspace whose database has nothing but a title."""
    with workspace(sandbox, properties={}) as made:
        yield made


class TestNotion(TrackerConformance):
    """The suite against Notion, with data sources and in the old way."""

    @pytest.fixture(params=[OLD, MIDDLE, NEWEST])
    def rig(self, sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[Rig]:
        """Give a workspace that is spoken to in one version."""
        with workspace(sandbox, request.param) as made:
            yield made


def test_properties(space: Workspace) -> None:
    """Everything a task says is in its properties, and the status is the database's own default."""
    _, skipped = space.tracker().create(make_draft(key="k-1"))
    [page] = space.pages()
    assert skipped == ()
    assert page["properties"] == {
        "Task": "Fix the header",
        "Status": None,
        "Priority": "High",
        "Type": "Bug",
        "Assignee": ["Anna de Vries"],
        "Due date": "2026-12-01",
        "Tags": ["web", "phone"],
        "Source": "https://acme.slack.example/archives/C1/p1",
        "Discubot key": "k-1",
    }


def test_whole_page(space: Workspace) -> None:
    """What stands on the page is the layout, block by block."""
    draft, tracker = make_draft(120), space.tracker()
    page, _ = tracker.create(draft)
    tracker.complete(page, draft)
    told = ["".join(e["text"]["content"] for e in b[b["type"]].get("rich_text", ())) for b in layout(draft)]
    assert space.texts(page) == told


def test_levels(sandbox: Sandbox) -> None:
    """A database with P1 to P3 and a title of another name gets its own options."""
    columns = {"Priority": {"type": "status", "options": ["P1", "P2", "P3"]}}
    with workspace(sandbox, title_property="Kurzbeschreibung", properties=columns) as space:
        space.tracker().create(make_draft())
        assert space.pages()[0]["properties"] == {"Kurzbeschreibung": "Fix the header", "Priority": "P1"}


def test_skipped(sandbox: Sandbox) -> None:
    """What cannot be set is named, and the page is made without it."""
    columns = {"Priority": "formula", "Type": {"type": "select", "options": ["Chore"]}, "Assignee": "people"}
    draft = make_draft(task=TASK.model_copy(update={"assignee": "Nobody Known"}))
    with workspace(sandbox, properties=columns) as space:
        assert space.tracker().create(draft)[1] == ("priority", "type", "assignee")
        assert space.page_count() == 1


def test_assignee_by_address(space: Workspace) -> None:
    """A person whom Notion knows by another name is found by the address they have in the source."""
    anna = ANNA.model_copy(update={"name": "annie", "handle": "av"})
    draft = make_draft([make_message(author=anna)], task=TASK.model_copy(update={"assignee": "@AV"}))
    assert space.tracker().create(draft)[1] == ()
    assert space.pages()[0]["properties"]["Assignee"] == ["Anna de Vries"]


def test_assignee_on_a_later_page(space: Workspace) -> None:
    """All pages of the users are read, once; a name that two people bear stands for nobody."""
    for number in range(110):
        space.sandbox.control("POST", "/notion/users", {"name": f"Person {number} {space.token}"})
    for _ in range(2):
        space.sandbox.control("POST", "/notion/users", {"name": f"Twin {space.token}"})
    tracker = space.tracker()
    for name, skipped in ((f"person 109 {space.token}", ()), (f"Twin {space.token}", ("assignee",))):
        assert tracker.create(make_draft(task=TASK.model_copy(update={"assignee": name})))[1] == skipped
    assert space.calls().count("GET /users 200") >= 2
    assert space.calls().count("GET /users/me 200") == 0


def test_users_not_shared(space: Workspace) -> None:
    """A connection that may not list users still makes pages."""
    space.fault("^GET /users$", "status", status=403)
    assert space.tracker().create(make_draft())[1] == ("assignee",)


def test_refused_properties(space: Workspace) -> None:
    """When Notion refuses the properties the page is made with title and key, and the rest is named."""
    space.fault("^POST /pages$", "status", status=400, times=2)
    draft = make_draft()
    page, skipped = space.tracker().create(draft)
    assert skipped == ("priority", "type", "assignee", "due_date", "tags", "source_url")
    assert space.pages()[0]["properties"]["Discubot key"] == draft.key
    assert space.tracker().find(draft, long_ago()) == page


def test_refused_person(space: Workspace) -> None:
    """A person whom Notion does not take costs the page nothing else."""
    space.fault("^POST /pages$", "status", status=400)
    assert space.tracker().create(make_draft())[1] == ("assignee",)
    assert space.pages()[0]["properties"]["Priority"] == "High"


def test_refused_page(space: Workspace) -> None:
    """A page that is refused without properties too needs a person, who is told Notion's reason."""
    space.fault("^POST /pages$", "status", status=400, times=None)
    with pytest.raises(Permanent, match=r"validation: .*Sandbox fault"):
        space.tracker().create(make_draft())


def test_data_sources(sandbox: Sandbox) -> None:
    """Of several data sources the chosen one is used, and without a choice they are named."""
    with workspace(sandbox, data_sources=2) as space:
        second = space.database["data_source_ids"][1]
        with pytest.raises(Permanent, match=rf"ambiguous_data_source: .*Tasks \(.*Tasks 2 \({second}"):
            space.tracker().create(make_draft())
        space.tracker(data_source_id=second).create(make_draft())
        assert space.pages()[0]["data_source_id"] == second
        space.version = OLD
        with pytest.raises(Permanent, match=f"ambiguous_data_source: .*{second}"):
            space.tracker().create(make_draft())


def test_pasted_link(space: Workspace) -> None:
    """A database may be given as its link."""
    link = f"https://www.notion.so/acme/Tasks-{space.database['database_id'].replace('-', '')}?v={HEX}"
    space.tracker(database_id=link).create(make_draft())
    assert space.page_count() == 1


def test_not_shared(space: Workspace) -> None:
    """A database that the connection does not see is to be shared with it."""
    space.sandbox.control("PUT", f"/notion/databases/{space.database['database_id']}/tokens", {"tokens": []})
    with pytest.raises(Permanent, match=r"not_found: .*share the database"):
        space.tracker().create(make_draft())


def test_limits(space: Workspace) -> None:
    """Threads that are too long for one request in every way arrive whole."""
    texts = ["😀" * 120_000, "漢" * 190_000, *("x" * 60_000 for _ in range(12)), "end"]
    draft, tracker = make_draft([make_message(n, text) for n, text in enumerate(texts)]), space.tracker()
    page, _ = tracker.create(draft)
    tracker.complete(page, draft)
    told = "".join(space.texts(page))
    assert all(text in told for text in texts)
    assert not [call for call in space.calls() if not call.endswith(" 200")]


def test_count_is_remembered(space: Workspace) -> None:
    """A page that was just made is completed without counting its blocks; another process counts."""
    draft, tracker = make_draft(150), space.tracker()
    page, _ = tracker.create(draft)
    tracker.complete(page, draft)
    count = f"GET /blocks/{page.id}/children 200"
    assert count not in space.calls()
    space.tracker().complete(page, draft)
    assert space.calls().count(count) == 2


def test_grown_thread(space: Workspace) -> None:
    """A page that was finished is not continued with the blocks of a thread that has grown since."""
    page, _ = space.tracker().create(make_draft(2))
    whole = space.texts(page)
    space.tracker().complete(page, make_draft(9))
    assert space.texts(page) == whole


@pytest.mark.parametrize("kind", ["saved_503", "saved_503_silent", "drop_after"])
def test_append_that_was_saved(space: Workspace, kind: str) -> None:
    """An append that was saved without a proper answer is not repeated, and the rest follows."""
    draft, tracker = make_draft(350), space.tracker()
    page, _ = tracker.create(draft)
    space.fault("^PATCH /blocks", kind)
    tracker.complete(page, draft)
    assert messages_of(space.texts(page)) == list(range(350))


@pytest.mark.parametrize(("kind", "error"), [("drop_before", Unanswered), ("ratelimit", Transient)])
def test_append_that_was_not_saved(space: Workspace, kind: str, error: type[Transient]) -> None:
    """An append that was not saved is left to the next try, in the same process too."""
    draft, tracker = make_draft(350), space.tracker()
    page, _ = tracker.create(draft)
    space.fault("^PATCH /blocks", kind, after=1)
    with pytest.raises(error):
        tracker.complete(page, draft)
    tracker.complete(page, draft)
    assert messages_of(space.texts(page)) == list(range(350))


def test_page_that_was_saved(space: Workspace) -> None:
    """A page that Notion says it has saved is taken as made."""
    draft, tracker = make_draft(150), space.tracker()
    space.fault("^POST /pages$", "saved_503")
    page, _ = tracker.create(draft)
    tracker.complete(page, draft)
    assert messages_of(space.texts(page)) == list(range(150))
    assert [found["id"] for found in space.pages()] == [page.id]


def test_saved_but_out_of_sight(space: Workspace) -> None:
    """When the saved page cannot be read the outcome stays unknown, so that it is looked for."""
    space.fault("^POST /pages$", "saved_503")
    space.fault("^GET /pages/", "html", status=502)
    with pytest.raises(Unanswered):
        space.tracker().create(make_draft())


def test_found_by_title(keyless: Workspace) -> None:
    """Without key property a page is found by its title, also when the title was tidied."""
    draft = make_draft(task=TASK.model_copy(update={"title": "  Fix\n the  header " + "😀" * 20}))
    page, _ = keyless.tracker().create(draft)
    assert keyless.tracker().find(draft, just_now()) == page


def test_older_page(keyless: Workspace) -> None:
    """Without key property a page from before the task was begun is somebody else's."""
    keyless.tracker().create(make_draft())
    assert keyless.tracker().find(make_draft(), just_now() + timedelta(minutes=3)) is None


def test_page_of_somebody_else(keyless: Workspace) -> None:
    """Without key property a page of the same title that another connection made is left alone."""
    other = keyless.sandbox.control("POST", "/notion/integrations", {"name": "Other"})["token"]
    path = f"/notion/databases/{keyless.database['database_id']}/tokens"
    keyless.sandbox.control("PUT", path, {"tokens": [keyless.token, other]})
    draft = make_draft()
    keyless.by(other).create(draft)
    assert keyless.tracker().find(draft, just_now()) is None
    own, _ = keyless.tracker().create(draft)
    keyless.by(other).create(draft)
    assert keyless.tracker().find(draft, just_now()) == own


def test_trashed_page(space: Workspace) -> None:
    """A page in the trash is not found."""
    draft = make_draft()
    page, _ = space.tracker().create(draft)
    space.sandbox.control("POST", f"/notion/pages/{page.id}/trash")
    assert space.tracker().find(draft, long_ago()) is None


@pytest.mark.parametrize(
    "text",
    [
        *(HEX, DASHED, HEX.upper(), f" {DASHED}\n"),
        *(
            f"https://www.notion.so/{HEX}?v={'f' * 32}",
            f"https://www.notion.so/acme/My-Tasks-{HEX}?v=1&pvs=4",
        ),
        *(
            f"https://app.notion.com/p/{HEX}#x",
            f"https://acme.notion.site/Tasks-{DASHED}/",
            f"notion://x/{HEX}",
        ),
    ],
)
def test_database_ids(text: str) -> None:
    """An id is read out of everything that people paste."""
    assert database_id_of(text) == DASHED


@pytest.mark.parametrize(
    "text", ["", "Tasks", HEX[1:], f"{HEX}0", f"https://www.notion.so/?v={HEX}", "https://[bad", f"x{HEX}"]
)
def test_no_database_id(text: str) -> None:
    """Anything else is refused with the accepted forms."""
    with pytest.raises(Permanent, match=r"malformed: .*link of the database"):
        database_id_of(text)
