"""Settings lie in layers: defaults, team, source."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discubot_pipeline.domain.config import CREDENTIALS, Preferences, merge
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent

LAYER = st.fixed_dictionaries(
    {},
    optional={
        "ai_enabled": st.booleans() | st.none(),
        "max_tasks": st.integers(1, 50) | st.none(),
        "time_zone": st.sampled_from(["UTC", "Asia/Kolkata", None]),
        "post_confirmation": st.booleans() | st.none(),
    },
)


def test_what_no_layer_sets_has_its_default() -> None:
    """No layers at all are the defaults."""
    assert merge() == merge({}, {}) == Preferences()


@given(st.lists(LAYER, max_size=4))
def test_the_last_word_counts(layers: list[dict[str, Any]]) -> None:
    """Each field is what the last layer that sets it says; null sets nothing."""
    merged = merge(*layers).model_dump()
    for name, default in Preferences().model_dump().items():
        said = [layer[name] for layer in layers if layer.get(name) is not None]
        assert merged[name] == (said[-1] if said else default)


@pytest.mark.parametrize(
    "wrong", [{"max_tasks": 0}, {"max_tasks": 51}, {"max_tasks": "many"}, {"color": 1}, {"time_zone": "../etc/passwd"}]
)
def test_a_wrong_setting_is_named(wrong: dict[str, Any]) -> None:
    """Unknown fields and values out of range are a person's to mend, and the message says which."""
    with pytest.raises(Permanent, match=next(iter(wrong))) as refused:
        merge({"max_tasks": 3}, wrong)
    assert refused.value.reason == "preferences"


def test_every_source_has_its_kind_of_credentials() -> None:
    """A new source is not forgotten in the table that opens its secrets."""
    assert set(CREDENTIALS) == set(SourceType)
