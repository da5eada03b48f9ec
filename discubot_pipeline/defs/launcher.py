"""Dagster's own run launcher with one change: no start overtakes a cancellation. `dagster.yaml` names it."""

from dagster import DagsterRunStatus
from dagster._core.launcher import DefaultRunLauncher, LaunchRunContext

BEFORE_IT_BEGAN = "It was cancelled before it began."


class CarefulRunLauncher(DefaultRunLauncher):
    """Starts runs as children of the code server, but none that somebody has cancelled meanwhile."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start a run that is still wanted; one that is cancelled while it starts is stopped as soon as it can be."""
        run_id = context.dagster_run.run_id
        match self._status(run_id):
            case DagsterRunStatus.STARTING:
                super().launch_run(context)
                if self._status(run_id) is DagsterRunStatus.CANCELING:
                    super().terminate(run_id)  # type: ignore[no-untyped-call]
            case DagsterRunStatus.CANCELING:
                self._instance.report_run_canceled(context.dagster_run, BEFORE_IT_BEGAN)

    def terminate(self, run_id: str) -> bool:
        """Stop a run; one that is starting has no process to tell yet, but `launch_run` will see to it."""
        is_starting = self._status(run_id) is DagsterRunStatus.STARTING
        return bool(super().terminate(run_id)) or is_starting  # type: ignore[no-untyped-call]

    def _status(self, run_id: str) -> DagsterRunStatus | None:
        run = self._instance.get_run_by_id(run_id)
        return run.status if run else None
