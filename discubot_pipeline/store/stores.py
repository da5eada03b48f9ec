"""All stores over one database, so that a stage is handed one thing. Built by `wiring`."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from discubot_pipeline.domain.delivery import DeliveryStatus, SourceType
from discubot_pipeline.domain.redaction import NO_SECRETS, Redaction
from discubot_pipeline.store.analyses import Analyses
from discubot_pipeline.store.backlog import Backlog
from discubot_pipeline.store.bulk import Bulk
from discubot_pipeline.store.catalogue import Catalogue
from discubot_pipeline.store.changes import Changes
from discubot_pipeline.store.configs import Configs
from discubot_pipeline.store.discussions import Discussions
from discubot_pipeline.store.dossiers import Dossiers
from discubot_pipeline.store.engine import transaction
from discubot_pipeline.store.executions import Executions
from discubot_pipeline.store.held import Held
from discubot_pipeline.store.hooks import Hooks
from discubot_pipeline.store.imports import Imports
from discubot_pipeline.store.inbox import Inbox
from discubot_pipeline.store.inboxlist import Deliveries
from discubot_pipeline.store.intake import Intake
from discubot_pipeline.store.limits import Limits
from discubot_pipeline.store.messages import Messages
from discubot_pipeline.store.meters import Meters
from discubot_pipeline.store.notes import Notes
from discubot_pipeline.store.operations import Operations
from discubot_pipeline.store.outbox import Outbox
from discubot_pipeline.store.people import AllPeople
from discubot_pipeline.store.reasonings import Reasonings
from discubot_pipeline.store.retention import Retention
from discubot_pipeline.store.sorting import Sorting
from discubot_pipeline.store.statistics import Statistics
from discubot_pipeline.store.steering import Steering
from discubot_pipeline.store.steps import Steps
from discubot_pipeline.store.tasklist import TaskList
from discubot_pipeline.store.tasks import Replies, Tasks
from discubot_pipeline.store.tokens import Tokens
from discubot_pipeline.store.vault import Vault


@dataclass(frozen=True)
class Stores:
    """One of each store."""

    engine: sa.Engine
    inboxes: dict[SourceType, Inbox]
    intake: Intake
    deliveries: Deliveries
    sorting: Sorting
    configs: Configs
    changes: Changes
    held: Held
    imports: Imports
    people: AllPeople
    discussions: Discussions
    catalogue: Catalogue
    messages: Messages
    analyses: Analyses
    tasks: Tasks
    tasklist: TaskList
    replies: Replies
    steps: Steps
    executions: Executions
    reasonings: Reasonings
    notes: Notes
    dossiers: Dossiers
    steering: Steering
    operations: Operations
    bulk: Bulk
    limits: Limits
    retention: Retention
    statistics: Statistics
    backlog: Backlog
    meters: Meters
    tokens: Tokens
    hooks: Hooks
    outbox: Outbox

    def together(self) -> AbstractContextManager[sa.Connection]:
        """Make all that is written inside one transaction."""
        return transaction(self.engine)

    def settle(self, run_id: str, status: DeliveryStatus, reason: str | None = None, error: str | None = None) -> None:
        """Close the deliveries of a run, in whichever inboxes they are."""
        for inbox in self.inboxes.values():
            inbox.settle(run_id, status, reason, error)


def open_stores(
    engine: sa.Engine, vault: Vault, recheck: timedelta = timedelta(), redaction: Redaction = NO_SECRETS
) -> Stores:
    """Build the stores; nothing is read yet. For `recheck` settings are taken for unchanged without asking."""
    inboxes = {source: Inbox(engine, source) for source in SourceType}
    return Stores(
        engine=engine,
        inboxes=inboxes,
        intake=Intake(engine, inboxes),
        deliveries=Deliveries(engine),
        sorting=Sorting(engine),
        configs=Configs(engine, vault, recheck),
        changes=Changes(engine, vault),
        held=Held(engine),
        imports=Imports(engine),
        people=AllPeople(engine),
        discussions=Discussions(engine),
        catalogue=Catalogue(engine),
        messages=Messages(engine),
        analyses=Analyses(engine),
        tasks=Tasks(engine),
        tasklist=TaskList(engine),
        replies=Replies(engine),
        steps=Steps(engine, redaction),
        executions=Executions(engine, redaction),
        reasonings=Reasonings(engine, redaction),
        notes=Notes(engine, redaction),
        dossiers=Dossiers(engine),
        steering=Steering(engine),
        operations=Operations(engine),
        bulk=Bulk(engine),
        limits=Limits(engine),
        retention=Retention(engine),
        statistics=Statistics(engine),
        backlog=Backlog(engine),
        meters=Meters(engine),
        tokens=Tokens(engine),
        hooks=Hooks(engine, vault),
        outbox=Outbox(engine),
    )
