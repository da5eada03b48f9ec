"""The CSV file of people: what is taken, what is refused, what comes back."""

import pytest

from discubot_pipeline.admin.people import MOST_ROWS, export_csv, import_csv, match, notion_id_of, read_csv
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.discussion import Author
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.people import Match, NotionUser
from discubot_pipeline.store.people import People
from discubot_pipeline.store.stores import Stores

HEAD = "source_user_id,notion_user_id,name,active\n"
ID = "01234567-89ab-cdef-0123-456789abcdef"


def people_of(stores: Stores, config: SourceConfig) -> dict[str, tuple[str | None, Match | None, bool]]:
    """Give a source's people by their id there."""
    found = stores.people.of_team(config.team_id, config.id)
    return {each.source_user_id: (each.notion_user_id, each.match, each.active) for each in found}


def test_a_file_is_taken_over(stores: Stores, slack_config: SourceConfig) -> None:
    """Known people keep their names, new ones are known from then on, and nobody may be somebody's answer."""
    People(stores.engine, slack_config).put(Author(id="U1", name="Anna"))
    text = f"\ufeff{HEAD}U1,{ID.upper()},,\n U2 ,,Ben,no\n"
    assert import_csv(stores, slack_config, text, "anna") == 2
    assert people_of(stores, slack_config) == {"U1": (ID, Match.IMPORTED, True), "U2": (None, None, False)}
    assert [each.name for each in stores.people.of_team(slack_config.team_id)] == ["Anna", "Ben"]


def test_a_source_still_tells_who_somebody_is(stores: Stores, slack_config: SourceConfig) -> None:
    """An imported person is asked for at the next chance, and what was imported stays."""
    import_csv(stores, slack_config, f"{HEAD}U1,{ID},Anna,\n", "anna")
    people = People(stores.engine, slack_config)
    assert people.get("U1") is None
    people.put(Author(id="U1", name="Anna de Vries"))
    [anna] = stores.people.of_team(slack_config.team_id)
    assert (anna.name, anna.notion_user_id, anna.match) == ("Anna de Vries", ID, Match.IMPORTED)


def test_errors_are_listed_by_line_and_nothing_is_imported(stores: Stores, slack_config: SourceConfig) -> None:
    """Each line with a fault is named, the good ones are not taken either."""
    text = f"{HEAD}U1,{ID},Anna,\nU2,nobody,Ben,\n,{ID},Cleo,\nU1,{ID},Anna,\nU5,{ID},Eve,maybe\n"
    with pytest.raises(Permanent) as refused:
        import_csv(stores, slack_config, text, "anna")
    told = refused.value.message
    assert [line in told for line in ("line 3: notion", "line 4: source", "line 5: source", "line 6: active")] == [
        True
    ] * 4
    assert "line 2" not in told
    assert people_of(stores, slack_config) == {}


def test_a_file_has_so_many_rows() -> None:
    """One more than that is refused as a whole."""
    rows = [f"U{number},{ID},,\n" for number in range(MOST_ROWS + 1)]
    assert (len(read_csv(HEAD + "".join(rows[:-1]))[0]), read_csv(HEAD + "".join(rows[:-1]))[1]) == (MOST_ROWS, [])
    assert read_csv(HEAD + "".join(rows)) == ([], [f"line {MOST_ROWS + 2}: a file has at most {MOST_ROWS} rows"])


@pytest.mark.parametrize("text", ["", "\n", "name\nAnna\n", "source_user_id;notion_user_id\nU1;x\n", "\0"])
def test_what_is_no_such_file_is_told(text: str) -> None:
    """The columns that there must be are named."""
    mappings, errors = read_csv(text)
    assert mappings == [] and errors and errors[0].startswith("line ")


def test_what_goes_out_comes_in_again(stores: Stores, slack_config: SourceConfig) -> None:
    """Also names that a spreadsheet would take for a formula."""
    names = ["=HYPERLINK(1)", "-1", "@sum", "'quoted", 'with "quotes", and commas', "two\nlines", "Zoë"]
    people = People(stores.engine, slack_config)
    for number, name in enumerate(names):
        people.put(Author(id=f"U{number}", name=name))
    text = export_csv(stores.people.of_team(slack_config.team_id))
    assert ",=HYPER" not in text
    import_csv(stores, slack_config, text, "anna")
    found = sorted(each.name for each in stores.people.of_team(slack_config.team_id))
    assert found == sorted(" ".join(name.split()) for name in names)


def test_matching_leaves_bots_and_what_people_said_alone(stores: Stores, slack_config: SourceConfig) -> None:
    """E-mail and name are looked at for the rest, and who is not found is named."""
    people = People(stores.engine, slack_config)
    for author in (
        Author(id="U1", name="Anna", email="anna@acme.example"),
        Author(id="U2", name="Ben Carter"),
        Author(id="U3", name="Cleo"),
        Author(id="B1", name="Ben Carter", is_bot=True),
        Author(id="U5", name="Anna", email="anna@acme.example"),
    ):
        people.put(author)
    import_csv(stores, slack_config, f"{HEAD}U5,{ID},,\n", "anna")
    users = [NotionUser(id="n1", name="A. de Vries", email="anna@acme.example"), NotionUser(id="n2", name="Ben Carter")]
    done = match(stores, slack_config, users, "ben")
    assert (done.matched, done.unmatched) == (2, ["Cleo"])
    assert people_of(stores, slack_config) == {
        "U1": ("n1", Match.EMAIL, True),
        "U2": ("n2", Match.NAME, True),
        "U3": (None, None, True),
        "B1": (None, None, True),
        "U5": (ID, Match.IMPORTED, True),
    }


@pytest.mark.parametrize("text", ["anna", "123", "../users", f"{ID}0", "0123456789abcdef0123456789abcdeg"])
def test_an_id_is_an_id(text: str) -> None:
    """What Notion would refuse a page for is refused here."""
    with pytest.raises(Permanent, match="no id of a Notion user"):
        notion_id_of(text)
