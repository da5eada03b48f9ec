"""Dagster's own tables are made before several of its processes start at once."""

import dagster as dg

from discubot_pipeline.tracking.storage import prepare


def test_preparing_the_storage_can_be_repeated() -> None:
    """It works on the instance that DAGSTER_HOME names, and does no harm to what is there."""
    with dg.instance_for_test(set_dagster_home=True) as instance:
        prepare()
        prepare()
        assert instance.get_runs() == []
