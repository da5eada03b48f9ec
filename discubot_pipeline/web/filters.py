"""What lists can be narrowed down by, the same for all of them."""

from typing import Annotated

from fastapi import Depends, Query
from pydantic import AwareDatetime

from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.store.paging import Period

Since = Annotated[AwareDatetime | None, Query(description="Only from this moment on, as in 2026-01-31T09:00:00Z.")]
Until = Annotated[AwareDatetime | None, Query(description="Only before this moment.")]
OfSource = Annotated[SourceType | None, Query(description="Only of this kind of source.")]


def period_of(since: Since = None, until: Until = None) -> Period:
    """Read a period."""
    return Period(since=since, until=until)


Within = Annotated[Period, Depends(period_of)]
