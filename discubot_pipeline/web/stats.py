"""REST: figures of the token's team, day by day."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.store.statistics import TOTALS, Day, Figures
from discubot_pipeline.web.access import Here, Member
from discubot_pipeline.web.problems import documented

router = APIRouter(prefix="/api/stats", tags=["statistics"])
MOST_DAYS = 366
USUAL_DAYS = 30
First = Annotated[date | None, Query(description="The first day (UTC); by default 29 days before the last.")]
Last = Annotated[date | None, Query(description="The last day (UTC); by default today. Days to come are left out.")]


class Stats(BaseModel):
    """Figures of each day, and their sums."""

    days: list[Day]
    total: Figures


@router.get("", responses=documented())
def statistics(bearer: Member, here: Here, since: First = None, until: Last = None) -> Stats:
    """Give the figures of up to 366 days. Those of the last three days are a minute old at most."""
    last = until or here.outside.clock.now().date()
    first = since or max(last, date.min + timedelta(USUAL_DAYS)) - timedelta(USUAL_DAYS - 1)
    if not 0 <= (last - first).days < MOST_DAYS:
        raise Permanent("invalid", f"since and until must be in order and at most {MOST_DAYS} days, both included")
    days = here.stores.statistics.of(bearer.team_id, first, last)
    return Stats(days=days, total=Figures(**{name: sum(getattr(day, name) for day in days) for name in TOTALS}))
