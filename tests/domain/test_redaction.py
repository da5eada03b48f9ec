"""What is kept of a step holds no secrets, whatever it holds beside them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from discubot_pipeline.domain.analysis import Analysis
from discubot_pipeline.domain.discussion import ConfiguredDiscussion, ParsedDiscussion, Thread
from discubot_pipeline.domain.job import Outcome
from discubot_pipeline.domain.redaction import REDACTED, Redaction
from discubot_pipeline.domain.task import CreatedTasks

LETTERS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=24, max_size=60)
HEADS = ("xoxb-", "xoxp-", "xoxe.xoxp-", "xapp-", "ntn_", "secret_", "sk-", "sk-ant-", "figd_", "whsec_", "ghp_")
FIELDS = ("token", "bot_token", "Authorization", "x-api-key", "apiKey", "client_secret", "PASSWORD", "signing_key")
WORDS = st.text(st.characters(codec="utf-8"), max_size=20)
PLAIN = st.text("abc de.,!?äß🎉\n", max_size=40)


def around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Put a value somewhere into JSON."""
    kept = st.none() | st.booleans() | st.integers() | PLAIN
    return st.recursive(
        inner,
        lambda deeper: (
            st.tuples(deeper, st.lists(kept, max_size=2)).map(lambda both: [both[0], *both[1]])
            | st.tuples(st.sampled_from(["a", "text", "messages"]), deeper).map(lambda both: dict([both]))
        ),
        max_leaves=4,
    )


@given(st.data())
def test_a_value_that_looks_like_a_secret_is_hidden_wherever_it_stands(data: st.DataObject) -> None:
    """In the middle of a sentence, in lists and objects of any depth."""
    secret = data.draw(st.sampled_from(HEADS)) + data.draw(LETTERS)
    said = f"{data.draw(PLAIN)} {secret} {data.draw(PLAIN)}"
    assert secret not in json.dumps(Redaction().value(data.draw(around(st.just(said)))))


@given(st.data())
def test_a_field_with_a_secrets_name_is_hidden_whatever_it_holds(data: st.DataObject) -> None:
    """However its name is written, and however deep it is."""
    marker = data.draw(LETTERS)
    held = data.draw(st.sampled_from([marker, [marker], {"inner": marker}]))
    value = data.draw(around(st.just({data.draw(st.sampled_from(FIELDS)): held})))
    assert marker not in json.dumps(Redaction().value(value))


@given(LETTERS, st.sampled_from(["note", "e-mail", "Home Address"]))
def test_fields_of_the_operator_are_hidden_too(marker: str, name: str) -> None:
    """Those that are named in the settings, and only then."""
    assert marker not in json.dumps(Redaction((name,)).value([{name.upper(): marker}]))
    assert Redaction().value({name: marker}) == {name: marker}


@given(around(PLAIN))
def test_all_else_stays_as_it_was(value: Any) -> None:
    """What holds no secret is not touched."""
    assert Redaction().value(value) == value


@given(around(WORDS))
def test_what_was_redacted_is_not_changed_again(value: Any) -> None:
    """Redaction may happen more than once on the way."""
    once = Redaction().value(value)
    assert Redaction().value(once) == once


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("GET /x?token=abcd1234&page=2", f"GET /x?token={REDACTED}&page=2"),
        ("Authorization: Bearer abcdefgh12345", f"Authorization: Bearer {REDACTED}"),
        ("postgresql://discubot:hunter22@db/x", f"postgresql://discubot:{REDACTED}@db/x"),
        ('{"api_key": "abcd1234"}', f'{{"api_key": "{REDACTED}"}}'),
        ("password='hunter22'", f"password='{REDACTED}'"),
        ("key: -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- end", f"key: {REDACTED} end"),
        ("The password: reset link is broken, see sk-learn", "The password: reset link is broken, see sk-learn"),
        (
            "https://acme.slack.com/archives/C1/p1763760000000100",
            "https://acme.slack.com/archives/C1/p1763760000000100",
        ),
    ],
)
def test_texts_of_errors_are_cleaned(text: str, kept: str) -> None:
    """Secrets go, what leads to them stays, and so do words about them."""
    assert Redaction().text(text) == kept


def test_counts_and_flags_are_no_secrets() -> None:
    """Fields that only sound like it, and those that say whether there is one."""
    value = {"prompt_tokens": 12, "has_token": True, "token": None, "key": "task-1"}
    assert Redaction().value(value) == value


@pytest.mark.parametrize("kind", [ParsedDiscussion, ConfiguredDiscussion, Thread, Analysis, CreatedTasks, Outcome])
def test_no_field_of_an_ops_output_is_hidden_by_its_name(kind: type[BaseModel]) -> None:
    """Later ops read the same record, and need all of it."""
    schema = kind.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    names = {name for part in parts for name in part.get("properties", {})}
    assert names
    assert not [name for name in names if Redaction().hides(name)]
