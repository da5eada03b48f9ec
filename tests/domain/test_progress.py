"""Progress: what has been shown once is never taken back, and a plan shares the hundred."""

from hypothesis import given
from hypothesis import strategies as st

from discubot_pipeline.domain.job import Stage
from discubot_pipeline.domain.progress import Progress, StepState

PLAN = ("read", "think", "make", "tell")


def states(progress: Progress) -> list[str]:
    """List the states of the stages, in their order."""
    return [state.value for state in progress.steps.values()]


def test_planned_stages_share_the_hundred() -> None:
    """Each begins where the one before ends, and what is done within counts for its share."""
    progress = Progress.planned(PLAN)
    assert (progress.percent, states(progress)) == (0, ["pending"] * 4)
    progress = progress.enter("read").of(4, "pages").advanced(2)
    assert (progress.percent, progress.current, progress.total, progress.unit) == (12, 2, 4, "pages")
    progress = progress.leave(StepState.COMPLETED).enter("think", "Reading it once more")
    assert (progress.percent, progress.current, progress.total) == (25, 0, None)
    assert (progress.message, states(progress)) == ("Reading it once more", ["completed", "running"] + ["pending"] * 2)


def test_the_last_stage_ends_at_a_hundred() -> None:
    """And nothing before it does."""
    progress = Progress.planned(Stage)
    seen = []
    for stage in Stage:
        progress = progress.enter(stage).leave(StepState.COMPLETED)
        seen.append(progress.percent)
    assert seen == [16, 33, 50, 66, 83, 100]


def test_a_retry_begins_where_its_chain_resumes() -> None:
    """What an earlier run has done counts as done."""
    progress = Progress.planned(Stage).enter("task_creation")
    assert (progress.percent, states(progress)) == (66, ["completed"] * 4 + ["running", "pending"])


def test_nothing_goes_back_to_an_earlier_stage() -> None:
    """One that is over, or was passed by, is not entered again."""
    progress = Progress.planned(PLAN).enter("make")
    assert progress.enter("read") == progress
    failed = progress.leave(StepState.FAILED).enter("tell")
    assert failed.enter("make") == failed
    assert states(failed) == ["completed", "completed", "failed", "running"]


def test_a_second_try_counts_anew_and_shows_no_less() -> None:
    """What was shown at the first try stays until the second has come further."""
    first = Progress.planned(PLAN).enter("make").of(4).advanced(3).leave(StepState.RETRYING, "Trying again")
    second = first.enter("make").of(4).advanced()
    assert (second.current, second.percent, states(second)[2]) == (first.current, first.percent, "running")
    assert second.advanced(3).current == 4


def test_without_a_plan_the_stage_at_work_is_all() -> None:
    """Stages line up as they come."""
    progress = Progress().enter("export").of(10, "rows").advanced(4)
    assert progress.percent == 40
    later = progress.enter("upload")
    assert (later.percent, later.steps) == (40, {"export": "completed", "upload": "running"})
    assert later.at(250).percent == 100


def test_before_any_stage_there_is_nothing_to_leave() -> None:
    """A job without stages may count all the same."""
    assert Progress().leave(StepState.COMPLETED) == Progress()
    assert Progress().of(2).advanced().percent == 50


MOVES = st.one_of(
    st.tuples(st.just("enter"), st.sampled_from([*PLAN, "more"])),
    st.tuples(st.just("of"), st.integers(0, 5)),
    st.tuples(st.just("advanced"), st.integers(-2, 9)),
    st.tuples(st.just("at"), st.floats(-10, 200, allow_nan=False)),
    st.tuples(st.just("leave"), st.sampled_from(StepState)),
)


@given(st.booleans(), st.lists(MOVES, max_size=20))
def test_it_never_goes_backwards(is_planned: bool, moves: list[tuple[str, object]]) -> None:
    """Whatever is told in whatever order: percent, stage and what is done of a stage only grow."""
    progress = Progress.planned(PLAN) if is_planned else Progress()
    visited: list[str | None] = []
    for name, value in moves:
        before, progress = progress, getattr(progress, name)(value)
        assert before.percent <= progress.percent <= 100
        if progress.stage == before.stage:
            assert progress.current >= before.current
        else:
            assert progress.stage not in visited
            visited.append(before.stage)
            assert list(progress.steps).index(progress.stage) == max(
                list(progress.steps).index(stage) for stage in [*visited, progress.stage] if stage
            )
