"""The import op: what the Launchpad takes, what the UI shows of it, and how a run goes on with another."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from discubot_pipeline.adapters.slackexport import SlackExport
from discubot_pipeline.definitions import defs
from discubot_pipeline.defs.jobs import backfill_job
from discubot_pipeline.defs.resources import job
from discubot_pipeline.stages.backfill import STEP
from discubot_pipeline.tracking.runs import ROOT
from tests.adapters.slack_past import ExportPast
from tests.adapters.source_harness import DAY, START
from tests.defs.paper import Paper
from tests.defs.workshop import Ended, Workshop, services_of_the_test


class PaperWithExports(Paper):
    """A world on paper in which exports can be read."""

    def archive(self, config: object, wanted: Any) -> SlackExport:
        """Open an export."""
        return SlackExport(Path(wanted.export))


@pytest.fixture
def paper() -> Paper:
    """Give that world."""
    return PaperWithExports()


@pytest.fixture
def past(tmp_path: Path) -> ExportPast:
    """Give an export of three threads, with a day that is broken."""
    past = ExportPast(tmp_path / "export.zip")
    for day in range(3):
        past.write(START + day * DAY, ["One", "Two"])
    past.spoil()
    past.archive.close()
    return past


def launch(workshop: Workshop, **config: Any) -> tuple[Ended, dict[str, Any]]:
    """Run an import; gives it with what it shows of itself."""
    result = backfill_job.execute_in_process(
        {"ops": {STEP: {"config": {"team": "acme", "source": "slack"} | config}}},
        instance=workshop.instance,
        resources={"services": workshop.services, "job": job},
        raise_on_error=False,
    )
    shown = [event.step_output_data.metadata for event in result.all_events if event.is_successful_output]
    ended = workshop.ended(result.run_id)
    return ended, {name: entry.value for name, entry in shown[0].items()} if shown else {}


def rebuilt() -> dg.JobDefinition:
    """Build the job for re-execution."""
    return dg.Definitions(
        jobs=[backfill_job], resources={"services": services_of_the_test, "job": job}
    ).resolve_job_def("backfill_job")


def reexecute(workshop: Workshop, run_id: str) -> str:
    """Run an import again, as `discubot backfill resume` does; gives the new run's id."""
    parent = workshop.run(run_id)
    family = {ROOT: run_id, "dagster/parent_run_id": run_id}
    options = dg.ReexecutionOptions(parent_run_id=run_id)
    with (
        workshop.at_hand(),
        dg.execute_job(
            dg.reconstructable(rebuilt),
            workshop.instance,
            run_config=parent.run_config,
            tags=family,
            reexecution_options=options,
        ) as result,
    ):
        return result.run_id


def test_an_import_shows_counts_and_errors(workshop: Workshop, past: ExportPast) -> None:
    """Numbers to plot, a table of what went wrong; the run is green, and is found by its team."""
    ended, shown = launch(workshop, export=str(past.path))
    assert ended.status == "SUCCESS"
    assert ended.tags["discubot/team"] == "acme"
    table = shown.pop("what went wrong")
    assert shown == {"threads": 4, "new": 3, "known": 0, "without a mention": 0, "errors": 1}
    assert [(record.data["item"], record.data["reason"]) for record in table.records] == [
        ("general/2026-03-05.json", "malformed")
    ]
    assert workshop.records(ended.id)[STEP].status == "completed"
    assert workshop.note(ended.id).progress.percent == 100


def test_a_later_import_shows_that_nothing_was_new(workshop: Workshop, past: ExportPast) -> None:
    """No thread is imported twice."""
    launch(workshop, export=str(past.path))
    _, shown = launch(workshop, export=str(past.path))
    assert (shown["new"], shown["known"]) == (0, 3)


def test_a_run_goes_on_with_its_parent(workshop: Workshop, past: ExportPast) -> None:
    """What Dagster says of the chain is what the stage goes by."""
    parent, _ = launch(workshop, export=str(past.path))
    record = workshop.records(parent.id)[STEP].output
    half = record | {"is_complete": False, "places": 0, "position": "1772323200.000000", "seen": 1, "stored": 1}
    workshop.services.stores.steps.store_output(parent.id, STEP, half)
    run = reexecute(workshop, parent.id)
    kept = workshop.records(run)[STEP].output
    assert (kept["seen"], kept["stored"], kept["known"]) == (3, 1, 2)


@pytest.mark.parametrize(
    ("config", "reason"), [({"source": "nobody"}, "unknown_source"), ({"team": "nobody"}, "unknown_team")]
)
def test_what_cannot_be_done_is_said(workshop: Workshop, past: ExportPast, config: dict[str, Any], reason: str) -> None:
    """The run fails with a sentence, the step has its reason; Dagster does not try it again."""
    ended, _ = launch(workshop, **{"export": str(past.path)} | config)
    assert ended.status == "FAILURE"
    assert "nobody" in ended.why
    record = workshop.records(ended.id)[STEP]
    assert (record.status, record.reason) == ("failed", reason)
    assert workshop.services.stores.steps.error(ended.id, STEP) == record.error


def test_the_launchpad_shows_what_may_be_given() -> None:
    """Each field has a description; only team and source must be named."""
    [node] = defs.resolve_job_def("backfill_job").graph.nodes
    assert isinstance(node.definition, dg.OpDefinition)
    config = node.definition.config_field
    assert config is not None
    fields = config.config_type.fields
    assert sorted(name for name, field in fields.items() if field.is_required) == ["source", "team"]
    assert all(field.description for field in fields.values())
