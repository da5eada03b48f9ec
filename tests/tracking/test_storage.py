"""Dagster's own tables are made before several of its processes start at once."""

import dagster as dg

from discubot_pipeline.settings import Settings
from discubot_pipeline.tracking.instance import storages
from discubot_pipeline.tracking.storage import prepare
from tests.tracking.ledger import on_postgres


def test_preparing_the_storage_can_be_repeated(database_url: str) -> None:
    """It works on the instance that DAGSTER_HOME names, and does no harm to what is there."""
    url = Settings.model_validate({"database_url": database_url}).dagster_url
    with (
        on_postgres(database_url),
        dg.instance_for_test(overrides=storages(url), set_dagster_home=True) as instance,
    ):
        prepare()
        prepare()
        assert instance.get_runs() == []
