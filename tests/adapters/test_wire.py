"""JSON of other services, made fit for the database."""

from discubot_pipeline.adapters.wire import storable


def test_the_database_takes_what_is_storable() -> None:
    """NUL and halves of surrogate pairs go, all else stays."""
    assert storable({"a\0": ["b\0c", "\ud800", 1, None, "é🎉"]}) == {"a": ["bc", "?", 1, None, "é🎉"]}
