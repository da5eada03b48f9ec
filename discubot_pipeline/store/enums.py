"""The enums of the schema `discubot`: ours, and those of the domain as the database knows them. Used by `tables`."""

from enum import StrEnum

from discubot_pipeline.domain.analysis import Priority, Sentiment, TaskType
from discubot_pipeline.domain.delivery import DeliveryKind, DeliveryStatus, SourceType
from discubot_pipeline.domain.discussion import DiscussionStatus, MessageRole
from discubot_pipeline.domain.hook import HookEvent, HookKind, HookStatus
from discubot_pipeline.domain.job import RunOutcome, Scope, Stage, Trigger
from discubot_pipeline.domain.operations import OperationKind
from discubot_pipeline.domain.people import Match
from discubot_pipeline.domain.task import TaskState
from discubot_pipeline.store.columns import enum_of


class StepStatus(StrEnum):
    """How far a step record has come."""

    RUNNING = "running"
    COMPLETED = "completed"
    RETRYING = "retrying"
    IGNORED = "ignored"
    DEFERRED = "deferred"
    FAILED = "failed"


class ReasoningStatus(StrEnum):
    """pending → processing → completed | failed; asked for again, it is pending once more."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


class Role(StrEnum):
    """What a token's bearer may do."""

    MEMBER = "member"
    ADMIN = "admin"


source_type = enum_of(SourceType, "source_type")
delivery_status = enum_of(DeliveryStatus, "delivery_status")
delivery_kind = enum_of(DeliveryKind, "delivery_kind")
discussion_status = enum_of(DiscussionStatus, "discussion_status")
sentiment = enum_of(Sentiment, "sentiment")
task_state = enum_of(TaskState, "task_state")
priority = enum_of(Priority, "priority")
task_type = enum_of(TaskType, "task_type")
stage = enum_of(Stage, "stage")
step_status = enum_of(StepStatus, "step_status")
run_outcome = enum_of(RunOutcome, "run_outcome")
trigger = enum_of(Trigger, "trigger")
scope = enum_of(Scope, "scope")
reasoning_status = enum_of(ReasoningStatus, "reasoning_status")
role = enum_of(Role, "role")
person_match = enum_of(Match, "person_match")
message_role = enum_of(MessageRole, "message_role")
operation_kind = enum_of(OperationKind, "operation_kind")
hook_kind = enum_of(HookKind, "hook_kind")
hook_event = enum_of(HookEvent, "hook_event")
hook_status = enum_of(HookStatus, "hook_status")
