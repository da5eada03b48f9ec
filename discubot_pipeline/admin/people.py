"""Says who the people of a source are in Notion: by hand, by matching, from a CSV file and into one."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from uuid import UUID

from pydantic import BaseModel

from discubot_pipeline.domain.changes import NewPerson, PersonChange, checked
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.people import THRESHOLD, Match, NotionUser, find
from discubot_pipeline.store.people import Mapping, Person
from discubot_pipeline.store.stores import Stores

COLUMNS = ("source_user_id", "name", "email", "notion_user_id", "active")
EXPORTED = ("source", *COLUMNS[:3], "handle", *COLUMNS[3:], "match", "confidence")
MOST_ROWS = 1000
MOST_ERRORS = 20
UUID_FORM = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
YES, NO = frozenset({"", "true", "yes", "1"}), frozenset({"false", "no", "0"})


class Matched(BaseModel):
    """Who was found by a matching, and who was not."""

    matched: int
    unmatched: list[str]


def put(stores: Stores, config: SourceConfig, wanted: NewPerson, actor: str) -> None:
    """Say by hand who a person is in Notion."""
    stores.people.map(config, [mapping_of(wanted.source_user_id, wanted, Match.MANUAL)], actor)


def change(stores: Stores, person: Person, wanted: PersonChange, actor: str) -> Person:
    """Change who a person is in Notion; what is not named stays."""
    kept = PersonChange(notion_user_id=person.notion_user_id, active=person.active)
    merged = kept.model_copy(update={name: getattr(wanted, name) for name in wanted.model_fields_set})
    config = stores.configs.source(person.source_config_id)
    stores.people.map(config, [mapping_of(person.source_user_id, merged, Match.MANUAL)], actor)
    return stores.people.get(person.id, config.team_id)


def mapping_of(source_user_id: str, wanted: PersonChange, match: Match) -> Mapping:
    """Write a request as a mapping."""
    return Mapping(
        source_user_id=source_user_id,
        notion_user_id=notion_id_of(wanted.notion_user_id),
        match=match,
        confidence=1.0,
        name=wanted.name,
        email=wanted.email,
        active=wanted.active is not False,
    )


def notion_id_of(text: str | None) -> str | None:
    """Read a Notion user's id; one that is none would make Notion refuse a whole page."""
    if not text:
        return None
    if not UUID_FORM.fullmatch(text.strip().lower()):
        raise Permanent("invalid", f"notion_user_id: {text!r} is no id of a Notion user, which is a UUID")
    return str(UUID(text.strip()))


def match(
    stores: Stores, config: SourceConfig, users: Sequence[NotionUser], actor: str, threshold: float = THRESHOLD
) -> Matched:
    """Look for a source's people among Notion's, by address, then by name; what a person said is left alone."""
    unmatched: list[str] = []
    count = 0
    for person in stores.people.of_team(config.team_id, config.id):
        if person.is_bot or person.match in (Match.MANUAL, Match.IMPORTED):
            continue
        found = find(person.name, person.email, users, threshold)
        if found is None:
            unmatched.append(person.name)
            continue
        said = Mapping(
            source_user_id=person.source_user_id,
            notion_user_id=found.user.id,
            match=found.match,
            confidence=found.confidence,
        )
        stores.people.found(person, said, actor)
        count += 1
    return Matched(matched=count, unmatched=unmatched)


def import_csv(stores: Stores, config: SourceConfig, text: str, actor: str) -> int:
    """Take over a CSV file, all of it or nothing; gives the rows. `csv` lists what is wrong by line."""
    mappings, errors = read_csv(text)
    if errors:
        more = [f"and {len(errors) - MOST_ERRORS} more"] if len(errors) > MOST_ERRORS else []
        raise Permanent("csv", "nothing was imported: " + "; ".join(errors[:MOST_ERRORS] + more))
    stores.people.map(config, mappings, actor)
    return len(mappings)


def read_csv(text: str) -> tuple[list[Mapping], list[str]]:
    """Read mappings of a CSV file, and the errors by line."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    absent = [name for name in ("source_user_id", "notion_user_id") if name not in (reader.fieldnames or ())]
    if absent:
        return [], [f"line 1: the column {absent[0]} is missing; there must be source_user_id and notion_user_id"]
    mappings: dict[str, Mapping] = {}
    errors: list[str] = []
    try:
        for count, row in enumerate(reader, 1):
            if count > MOST_ROWS:
                return [], [f"line {reader.line_num}: a file has at most {MOST_ROWS} rows"]
            read_row(row, reader.line_num, mappings, errors)
    except csv.Error as error:
        errors.append(f"line {reader.line_num}: {error}")
    return list(mappings.values()), errors


def read_row(row: dict[str, str], line: int, mappings: dict[str, Mapping], errors: list[str]) -> None:
    """Read one row; what is wrong with it is added to the errors."""
    cells = {name: unquoted(row.get(name) or "") for name in COLUMNS}
    active = cells.pop("active").casefold()
    try:
        if active not in YES | NO:
            raise Permanent("invalid", f"active: {active!r} is neither true nor false")
        given = {name: value for name, value in cells.items() if value}
        wanted = checked(NewPerson, given | {"active": active in YES})
        if wanted.source_user_id in mappings:
            raise Permanent("invalid", f"source_user_id: {wanted.source_user_id!r} stands in an earlier line too")
        mappings[wanted.source_user_id] = mapping_of(wanted.source_user_id, wanted, Match.IMPORTED)
    except Permanent as error:
        errors.append(f"line {line}: {error.message}")


def export_csv(people: Iterable[Person]) -> str:
    """Write people as a CSV file that can be imported again."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(EXPORTED)
    for person in people:
        facts = person.model_dump(mode="json") | {"source": person.source_name, "active": str(person.active).lower()}
        writer.writerow([quoted(facts[name]) for name in EXPORTED])
    return file.getvalue()


def quoted(value: object) -> str:
    """Write a cell so that no spreadsheet takes it for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def unquoted(cell: str) -> str:
    """Read a cell as it was before it was quoted, on one line."""
    text = " ".join(cell.split())
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
