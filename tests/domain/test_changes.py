"""What a person may ask for, and how it is laid over what there is."""

import pytest

from discubot_pipeline.domain.changes import NewSource, checked, credentials_of, fields_patched, patched
from discubot_pipeline.domain.config import SlackCredentials
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.preferences import Persona, merge


def test_values_are_kept_as_they_mean() -> None:
    """What comes as text from the command line is stored as the value it stands for."""
    assert patched({}, {"max_tasks": "3", "auto_sync": "no"}) == {"max_tasks": 3, "auto_sync": False}


def test_a_patch_says_only_what_it_names() -> None:
    """Neither defaults nor the layers below get into a source's own preferences."""
    below = {"time_zone": "Asia/Tokyo", "reply_template": "{tasks}"}
    own = {"persona": "custom", "max_tasks": 3}
    assert patched(own, {"max_tasks": None, "ai_enabled": False}, below) == {"persona": "custom", "ai_enabled": False}


def test_a_persona_of_ones_own_needs_its_words() -> None:
    """In one layer or another."""
    with pytest.raises(Permanent, match="needs a reply_template"):
        merge({"persona": "custom"})
    assert merge({"reply_template": "{tasks}"}, {"persona": "custom"}).persona is Persona.CUSTOM


def test_faults_never_quote_a_secret() -> None:
    """Whatever is wrong with credentials, their text is not in the message."""
    for secrets in ({"bot_token": "s3cret"}, {"signing_secret": "s3cret", "bot_token": "s3cret", "x": "s3cret"}):
        with pytest.raises(Permanent) as refused:
            credentials_of(
                SourceType.SLACK, checked(NewSource, {"source": "slack", "credentials": secrets}).credentials
            )
        assert "s3cret" not in str(refused.value)


def test_a_credential_is_replaced_alone() -> None:
    """The others stay."""
    known = credentials_of(SourceType.SLACK, NewSource(source="slack", credentials=SECRETS).credentials)
    newer = credentials_of(
        SourceType.SLACK, NewSource(source="slack", credentials={"bot_token": "b2"}).credentials, known
    )
    assert isinstance(newer, SlackCredentials)
    assert (newer.signing_secret.get_secret_value(), newer.bot_token.get_secret_value()) == ("s1", "b2")


SECRETS = {"signing_secret": "s1", "bot_token": "b1"}


def test_only_fields_of_a_task_are_mapped() -> None:
    """A slip of the pen is told at once."""
    with pytest.raises(Permanent, match="there is no field 'asignee'"):
        fields_patched({}, {"asignee": "Owner"})
