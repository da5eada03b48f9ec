"""Lets tests evaluate sensors as Dagster does."""

from typing import Any

import dagster as dg
import sqlalchemy as sa

from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.store.tables import inboxes
from tests.defs.workshop import Workshop


def tick(workshop: Workshop, sensor: dg.SensorDefinition, *, number: str = "17") -> Any:
    """Evaluate a sensor as the daemon does; `number` is the tick's, which a test by hand has not."""
    context = dg.SensorEvaluationContext(
        instance_ref=workshop.instance.get_ref(),
        instance=workshop.instance,
        sensor_name=sensor.name,
        repository_name="__repository__",
        log_key=["__repository__", sensor.name, number],
        resources={"services": dg.ResourceDefinition.hardcoded_resource(workshop.services)},
    )
    with context:
        return sensor.evaluate_tick(context)


def by_hand(workshop: Workshop, sensor: dg.SensorDefinition) -> Any:
    """Evaluate a sensor as the UI's "Test sensor" does."""
    return tick(workshop, sensor, number="20260302_090000")


def change(workshop: Workshop, id: int, **values: Any) -> None:
    """Change an inbox row behind everyone's back."""
    table = inboxes[SourceType.SLACK]
    with workshop.services.engine.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == id).values(**values))
