"""Tokens are shown once; what is stored cannot be used."""

import hashlib

import sqlalchemy as sa

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import Role, tokens
from discubot_pipeline.store.tokens import Bearer
from tests.store.samples import rows


def test_a_token_names_its_bearer(stores: Stores, slack_config: SourceConfig) -> None:
    """The text that was given once stands for team, name and role; any other stands for nobody."""
    token = stores.tokens.make(slack_config.team_id, "ci", Role.ADMIN, "anna")
    assert token.startswith("dbt_")
    assert len(token) > 40
    assert stores.tokens.bearer(token) == Bearer(team_id=slack_config.team_id, name="ci", role=Role.ADMIN)
    for wrong in ("", token[:-1], token.upper(), f"{token} ", "dbt_é\0"):
        assert stores.tokens.bearer(wrong) is None


def test_only_a_hash_is_stored(stores: Stores, slack_config: SourceConfig, engine: sa.Engine) -> None:
    """No column of the row holds the token or a part of it."""
    token = stores.tokens.make(slack_config.team_id, "ci", Role.MEMBER, "anna")
    [row] = rows(engine, tokens)
    assert row.hash == hashlib.sha256(token.encode()).digest()
    assert token.removeprefix("dbt_")[:12] not in repr(row)
    assert (row.created_by, row.updated_by) == ("anna", "anna")


def test_a_token_of_the_same_name_replaces_the_old_one(stores: Stores, slack_config: SourceConfig) -> None:
    """A lost token is made anew, and the old one opens nothing any more."""
    old = stores.tokens.make(slack_config.team_id, "ci", Role.ADMIN, "anna")
    new = stores.tokens.make(slack_config.team_id, "ci", Role.MEMBER, "ben")
    assert stores.tokens.bearer(old) is None
    bearer = stores.tokens.bearer(new)
    assert bearer is not None
    assert bearer.role is Role.MEMBER


def test_teams_have_tokens_of_the_same_name(stores: Stores, slack_config: SourceConfig) -> None:
    """A name is a name within its team."""
    other = stores.configs.add_team("other", "test")
    first = stores.tokens.make(slack_config.team_id, "ci", Role.MEMBER, "anna")
    second = stores.tokens.make(other.id, "ci", Role.MEMBER, "anna")
    found = [stores.tokens.bearer(token) for token in (first, second)]
    assert [bearer.team_id for bearer in found if bearer] == [slack_config.team_id, other.id]
