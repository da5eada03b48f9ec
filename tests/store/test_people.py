"""People are remembered for a day, each source its own."""

import sqlalchemy as sa

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.discussion import Author
from discubot_pipeline.store.people import People
from discubot_pipeline.store.tables import people
from tests.store.samples import ANNA, ago, change, rows


def test_a_person_is_remembered(engine: sa.Engine, slack_config: SourceConfig) -> None:
    """All that is known of a person comes back; who was never asked for is unknown."""
    known = People(engine, slack_config)
    for author in (ANNA, Author(id="B1", name="Deploys", is_bot=True)):
        known.put(author)
        assert known.get(author.id) == author
    assert known.get("U9") is None


def test_the_newest_name_counts(engine: sa.Engine, slack_config: SourceConfig) -> None:
    """Who changes their name is still one person."""
    known = People(engine, slack_config)
    known.put(ANNA)
    known.put(Author(id=ANNA.id, name="Anna B."))
    assert known.get(ANNA.id) == Author(id=ANNA.id, name="Anna B.")
    assert len(rows(engine, people)) == 1


def test_memory_lasts_a_day(engine: sa.Engine, slack_config: SourceConfig) -> None:
    """A minute younger than a day is known, a minute older has to be asked for again."""
    known = People(engine, slack_config)
    known.put(ANNA)
    change(engine, people, fetched_at=ago(hours=23, minutes=59))
    assert known.get(ANNA.id) == ANNA
    change(engine, people, fetched_at=ago(hours=24, minutes=1))
    assert known.get(ANNA.id) is None
    known.put(ANNA)
    assert known.get(ANNA.id) == ANNA


def test_sources_do_not_share_people(
    engine: sa.Engine, slack_config: SourceConfig, generic_config: SourceConfig
) -> None:
    """The same id in another source is another person."""
    People(engine, slack_config).put(ANNA)
    assert People(engine, generic_config).get(ANNA.id) is None
