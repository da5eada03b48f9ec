"""The sums of what all processes measure."""

from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from discubot_pipeline.domain.meters import Meter, Sum
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import meters

PROMPT, DOLLARS = Sum(Meter.TOKENS, ("prompt",)), Sum(Meter.DOLLARS, ())


def test_amounts_are_added_to_what_is_there(stores: Stores) -> None:
    """A sum without labels is one as well; nothing to add is no write."""
    stores.meters.add({})
    assert stores.meters.read() == {}
    stores.meters.add({PROMPT: 10, DOLLARS: 0.25})
    stores.meters.add({PROMPT: 5})
    assert stores.meters.read() == {PROMPT: 15, DOLLARS: 0.25}


def test_processes_add_at_once_in_any_order(stores: Stores) -> None:
    """None of them is lost, and none waits for another in a circle."""
    names = [Sum(Meter.CALLS, ("Slack", str(status), "0.1")) for status in range(20)]

    def add(number: int) -> None:
        stores.meters.add(dict.fromkeys(names if number % 2 else reversed(names), 1))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(60)))
    assert stores.meters.read() == dict.fromkeys(names, 60)


def test_what_another_version_has_summed_up_is_passed_over(stores: Stores, engine: sa.Engine) -> None:
    """A meter that this version does not know keeps nobody from reading the others."""
    with engine.begin() as connection:
        connection.execute(sa.insert(meters).values(meter="unheard_of", labels=["a"], total=1))
    stores.meters.add({PROMPT: 1})
    assert stores.meters.read() == {PROMPT: 1}
