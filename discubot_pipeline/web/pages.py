"""Lists in pages: `?limit=&after=` goes in, `{"<items>": […], "next": …}` comes out. Shared by all routes that list."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import to_json

from discubot_pipeline.domain.errors import Permanent

LARGEST = 200
Limit = Annotated[int, Query(ge=1, le=LARGEST, description="How many at most.")]
After = Annotated[str | None, Query(max_length=500, description="`next` of the page before; leave it out at first.")]
Word = Annotated[str, Query(max_length=200, pattern=r"^[^\x00-\x1f]*$")]
"""A filter's text, without what a database refuses."""
RowId = Annotated[int, Field(ge=0, lt=2**63)]
"""A row's number as the database can hold it, for routes and cursors."""
T = TypeVar("T")
P = TypeVar("P")


class Page(BaseModel):
    """What every page says beside its items. Subclass it with the items under their own name."""

    model_config = ConfigDict(frozen=True)

    next: str | None
    """Send it as `after` for the next page; null on the last one."""


def cursor(position: Any) -> str:
    """Write where a page ended, in a form that tells callers nothing they could rely on."""
    return base64.urlsafe_b64encode(to_json(position)).decode().rstrip("=")


def position(after: str | None, kind: type[P]) -> P | None:
    """Read where to go on, as the kind that was written, say `tuple[datetime, UUID]`; None means from the start.

    Raises Permanent("cursor", …), which is answered with 422.
    """
    if after is None:
        return None
    try:
        text = base64.b64decode(after + "=" * (-len(after) % 4), altchars=b"-_", validate=True)
        return TypeAdapter(kind).validate_json(text)
    except (binascii.Error, ValueError, ValidationError) as error:
        raise Permanent("cursor", "`after` takes the `next` of an earlier page of the same list") from error


def cut(rows: Sequence[T], limit: int, position_of: Callable[[T], Any]) -> tuple[Sequence[T], str | None]:
    """Cut a page off rows, of which one more than `limit` was read; gives it with the cursor of the next, if any."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], cursor(position_of(rows[limit - 1]))
