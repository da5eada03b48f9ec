"""What is measured is summed up in memory until somebody takes it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from discubot_pipeline.domain.meters import Meter, Sum, Tally, bucket_of


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0.0, "0.05"), (0.05, "0.05"), (0.051, "0.1"), (300.0, "300.0"), (301.0, "+Inf")]
)
def test_a_duration_is_in_the_first_bucket_that_holds_it(seconds: float, bucket: str) -> None:
    """A bound belongs to its bucket, as Prometheus's `le` says."""
    assert bucket_of(seconds) == bucket


def test_what_is_measured_alike_is_one_sum() -> None:
    """A count by bucket, and all seconds; what is taken is gone, and can be put back."""
    tally = Tally()
    for seconds in (0.25, 0.25, 4.0):
        tally.call(seconds, "Slack", "200")
    tally.stage(1.0, "discussion_job", "ai_analysis", "completed")
    expected = {
        Sum(Meter.CALLS, ("Slack", "200", "0.25")): 2,
        Sum(Meter.CALLS, ("Slack", "200", "5.0")): 1,
        Sum(Meter.CALL_SECONDS, ("Slack", "200")): 4.5,
        Sum(Meter.STAGES, ("discussion_job", "ai_analysis", "completed", "1.0")): 1,
        Sum(Meter.STAGE_SECONDS, ("discussion_job", "ai_analysis", "completed")): 1.0,
    }
    taken = tally.take()
    assert (taken, tally.take()) == (expected, {})
    tally.put(taken)
    tally.put(taken)
    assert tally.take() == {name: 2 * amount for name, amount in expected.items()}


def test_threads_may_share_it() -> None:
    """Nothing is lost when several count at once, and one takes."""
    tally, taken = Tally(), Tally()

    def work(number: int) -> None:
        tally.add(Meter.TOKENS, 1, "prompt")
        if number % 10 == 0:
            taken.put(tally.take())

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(2000)))
    taken.put(tally.take())
    assert taken.take() == {Sum(Meter.TOKENS, ("prompt",)): 2000}
