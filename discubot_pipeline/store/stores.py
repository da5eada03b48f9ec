"""All stores over one database, so that a stage is handed one thing. Built by `wiring`."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.store.analyses import Analyses
from discubot_pipeline.store.changes import Changes
from discubot_pipeline.store.configs import Configs
from discubot_pipeline.store.discussions import Discussions
from discubot_pipeline.store.engine import transaction
from discubot_pipeline.store.held import Held
from discubot_pipeline.store.imports import Imports
from discubot_pipeline.store.inbox import Inbox
from discubot_pipeline.store.limits import Limits
from discubot_pipeline.store.notes import Notes
from discubot_pipeline.store.people import AllPeople
from discubot_pipeline.store.retention import Retention
from discubot_pipeline.store.steps import Steps
from discubot_pipeline.store.tasks import Replies, Tasks
from discubot_pipeline.store.tokens import Tokens
from discubot_pipeline.store.vault import Vault


@dataclass(frozen=True)
class Stores:
    """One of each store."""

    engine: sa.Engine
    inboxes: dict[SourceType, Inbox]
    configs: Configs
    changes: Changes
    held: Held
    imports: Imports
    people: AllPeople
    discussions: Discussions
    analyses: Analyses
    tasks: Tasks
    replies: Replies
    steps: Steps
    notes: Notes
    limits: Limits
    retention: Retention
    tokens: Tokens

    def together(self) -> AbstractContextManager[sa.Connection]:
        """Make all that is written inside one transaction."""
        return transaction(self.engine)


def open_stores(engine: sa.Engine, vault: Vault, recheck: timedelta = timedelta()) -> Stores:
    """Build the stores; nothing is read yet. For `recheck` settings are taken for unchanged without asking."""
    return Stores(
        engine=engine,
        inboxes={source: Inbox(engine, source) for source in SourceType},
        configs=Configs(engine, vault, recheck),
        changes=Changes(engine, vault),
        held=Held(engine),
        imports=Imports(engine),
        people=AllPeople(engine),
        discussions=Discussions(engine),
        analyses=Analyses(engine),
        tasks=Tasks(engine),
        replies=Replies(engine),
        steps=Steps(engine),
        notes=Notes(engine),
        limits=Limits(engine),
        retention=Retention(engine),
        tokens=Tokens(engine),
    )
