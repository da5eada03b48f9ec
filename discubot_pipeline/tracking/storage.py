"""Makes Dagster's own tables, or brings them up to date, before several of its processes start at once."""

from dagster import DagsterInstance

from discubot_pipeline.tracking.storages.indexes import add_indexes


def prepare() -> None:
    """Create or migrate the storage of the instance that DAGSTER_HOME names."""
    with DagsterInstance.get() as instance:
        instance.upgrade()
        add_indexes(instance)


if __name__ == "__main__":
    prepare()
