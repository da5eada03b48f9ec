"""Waits grow, and stay within what an op may wait."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from discubot_pipeline.domain.errors import Ignored, Permanent, PipelineError, Transient, Unanswered
from discubot_pipeline.domain.job import LONGEST_WAIT, MAX_OP_RETRIES, Stage, backoff


def test_waits_double() -> None:
    """Two, four, eight seconds, plus up to half of it."""
    assert [backoff(retry, 0).total_seconds() for retry in range(3)] == [2, 4, 8]
    assert backoff(0, 1) == timedelta(seconds=3)


@given(st.integers(0, MAX_OP_RETRIES - 1), st.floats(0, 1))
def test_no_retry_waits_longer_than_an_op_may(retry: int, jitter: float) -> None:
    """With the most jitter the last retry's wait can still be waited for."""
    assert timedelta(seconds=2) <= backoff(retry, jitter) <= LONGEST_WAIT


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_later_retry_waits_longer(one: float, other: float) -> None:
    """Whatever the jitter, each wait is longer than the one before."""
    assert backoff(0, one) < backoff(1, other) < backoff(2, one)


def test_a_verdict_reads_as_reason_and_message() -> None:
    """A log line shows the constant and the words; a lost answer is a kind of transient."""
    for kind in (Transient, Unanswered, Permanent, Ignored):
        error = kind("reason", "What to do.")
        assert isinstance(error, PipelineError)
        assert (str(error), error.reason, error.message) == ("reason: What to do.", "reason", "What to do.")
    assert issubclass(Unanswered, Transient)
    assert not issubclass(Ignored, Transient | Permanent)


def test_the_stages_have_their_order() -> None:
    """The six stages are listed as they run."""
    assert list(Stage) == [
        "ingestion",
        "config_loading",
        "thread_building",
        "ai_analysis",
        "task_creation",
        "notification",
    ]
