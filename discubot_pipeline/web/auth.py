"""Who asks: a bearer token stands for a team, a name and a role."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.store.tokens import Bearer
from discubot_pipeline.wiring import Services

scheme = HTTPBearer(auto_error=False, description="Made by `discubot team token NAME`.")


def bearer_of(request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(scheme)]) -> Bearer:
    """Give the bearer of the request's token."""
    services: Services = request.app.state.services
    bearer = services.stores.tokens.bearer(credentials.credentials) if credentials else None
    if bearer is None:
        raise Permanent(
            "unauthorized",
            "send a token: `Authorization: Bearer dbt_…` (`discubot team token NAME` makes one)",
        )
    return bearer
