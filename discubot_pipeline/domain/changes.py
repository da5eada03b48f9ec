"""What a person may ask to be set up or changed, through the command line and the REST API alike."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError

from discubot_pipeline.domain.analysis import Priority, TaskType
from discubot_pipeline.domain.config import CREDENTIALS, Credentials, ModelCredentials
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.preferences import AnalystKind, Preferences, merge, sentence_of

M = TypeVar("M", bound=BaseModel)
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00-\x1f]*$")]
Domain = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Secrets = dict[str, SecretStr | None]
FieldMap = dict[str, str | None]
ValueMap = dict[str, dict[str, str]]
Held = Literal["release", "drop"]
TASK_FIELDS = (
    *("priority", "type", "status", "assignee", "due_date", "tags", "domain"),
    *("source_url", "summary", "description"),
)
"""What a task has to say beside its title, in the order in which it is asked for."""


class Change(BaseModel):
    """A request; what is not named stays as it is. `version` is the one that was looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def given(self, *names: str) -> dict[str, Any]:
        """List the named fields that were given, null ones too."""
        return {name: getattr(self, name) for name in names if name in self.model_fields_set}


class ModelChange(Change):
    """The part of a change that may give the key of the language model that is chosen with it; null takes it away."""

    model_key: SecretStr | None = Field(default=None, description="The model's key; never given back.")

    def key_for(self, chosen: Preferences) -> dict[str, ModelCredentials | None]:
        """Tie a key that is given to the provider and address that it is given for."""
        if "model_key" not in self.model_fields_set:
            return {}
        if not self.model_key:
            return {"model_credentials": None}
        if chosen.analyst is AnalystKind.RULES:
            raise Permanent("invalid", "model_key: the analyst that is chosen takes none")
        key = ModelCredentials(analyst=chosen.analyst, url=chosen.model_url, api_key=self.model_key)
        return {"model_credentials": key}


class TeamChange(ModelChange):
    """A change of a team. Of `preferences` the named ones are laid over the others; null takes one away."""

    version: int | None = None
    name: str | None = None
    preferences: dict[str, Any] = Field(default_factory=dict)


class NewSource(Change):
    """A source to connect; its name is by default its kind. `workspace` is Slack's id (T…), others are ignored."""

    source: SourceType
    name: Name | None = None
    workspace: str | None = None
    active: bool = True
    credentials: Secrets = Field(default_factory=dict, description="Secrets by name; never given back.")
    preferences: dict[str, Any] = Field(default_factory=dict)


class SourceChange(ModelChange):
    """A change of a source; named credentials and preferences are laid over the others, null takes one away."""

    version: int | None = None
    name: Name | None = None
    workspace: str | None = None
    credentials: Secrets = Field(default_factory=dict, description="Secrets by name; never given back.")
    preferences: dict[str, Any] = Field(default_factory=dict)


class NewOutput(Change):
    """A Notion database to connect to a source, by its address or id; the first without domains becomes the default."""

    name: Name = "notion"
    database: str
    data_source: str | None = None
    token: SecretStr
    domains: tuple[Domain, ...] = ()
    default: bool | None = None
    field_map: FieldMap = Field(default_factory=dict)
    value_map: ValueMap = Field(default_factory=dict)


class OutputChange(Change):
    """A change of an output. In the maps the named fields are laid over the others; `auto` takes one away."""

    version: int | None = None
    name: Name | None = None
    database: str | None = None
    data_source: str | None = None
    token: SecretStr | None = None
    domains: tuple[Domain, ...] | None = None
    default: bool | None = None
    active: bool | None = None
    field_map: FieldMap = Field(default_factory=dict)
    value_map: ValueMap = Field(default_factory=dict)


class PersonChange(Change):
    """Who a person of a source is in Notion: a user's id, or null for nobody."""

    notion_user_id: str | None = None
    name: Name | None = None
    email: str | None = None
    active: bool | None = None


class NewPerson(PersonChange):
    """A person of a source, by the source's own user id, and who they are in Notion."""

    source_user_id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


def checked(kind: type[M], values: Mapping[str, Any]) -> M:
    """Read a request; `invalid` with the field and what is wrong with it."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise Permanent("invalid", sentence_of(error.errors())) from error


def patched(own: Mapping[str, Any], patch: Mapping[str, Any], *below: dict[str, Any]) -> dict[str, Any]:
    """Lay a patch over settings, null taking one away; `preferences` when they do not hold over the layers below."""
    wanted = {name: value for name, value in {**own, **patch}.items() if value is not None}
    checked_values = merge(*below, wanted).model_dump(mode="json")
    return {name: checked_values[name] for name in wanted}


def fields_patched(own: FieldMap, patch: FieldMap) -> FieldMap:
    """Lay a patch over a map of fields to properties; `auto` takes a field out of it, null keeps it from being set."""
    merged = {field: name for field, name in (own | patch).items() if name != "auto"}
    check_fields("field_map", merged)
    return merged


def values_patched(own: ValueMap, patch: ValueMap) -> ValueMap:
    """Lay a patch over a map of values to options; a field with nothing in it is taken out."""
    merged = own | {field: {**own.get(field, {}), **values} if values else {} for field, values in patch.items()}
    check_fields("value_map", merged)
    for field, known in (("priority", Priority), ("type", TaskType)):
        unknown = sorted(set(merged.get(field, ())) - set(known))
        if unknown:
            raise Permanent("invalid", f"value_map.{field}: there is no {unknown[0]!r}; there are: {', '.join(known)}")
    return {field: values for field, values in merged.items() if values}


def check_fields(where: str, wanted: Mapping[str, Any]) -> None:
    """Refuse fields that no task has."""
    unknown = sorted(set(wanted) - set(TASK_FIELDS))
    if unknown:
        raise Permanent("invalid", f"{where}: there is no field {unknown[0]!r}; there are: {', '.join(TASK_FIELDS)}")


def credentials_of(kind: SourceType, secrets: Secrets, known: Credentials | None = None) -> Credentials:
    """Build a source's credentials of those that are known and those that are given; null takes one away."""
    held = dict(known) if known else {}
    wanted = {name: value for name, value in (held | secrets).items() if value is not None}
    try:
        return CREDENTIALS[kind].model_validate(wanted)
    except ValidationError as error:
        raise Permanent("credentials", sentence_of(error.errors())) from error
