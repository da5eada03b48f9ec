"""Who may do what: members read, admins change; and which version of a thing a change was made from."""

from typing import Annotated

from fastapi import Depends, Header, Response

from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.store.tables import Role
from discubot_pipeline.store.tokens import Bearer
from discubot_pipeline.web.auth import bearer_of
from discubot_pipeline.web.hooks import services_of
from discubot_pipeline.wiring import Services


def admin_of(bearer: Annotated[Bearer, Depends(bearer_of)]) -> Bearer:
    """Give the bearer, who must be an admin."""
    if bearer.role is not Role.ADMIN:
        raise Permanent("forbidden", "this takes a token with the role admin: `discubot team token NAME --role admin`")
    return bearer


Member = Annotated[Bearer, Depends(bearer_of)]
Admin = Annotated[Bearer, Depends(admin_of)]
Here = Annotated[Services, Depends(services_of)]
IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="The ETag that was read; or send `version` in the body.")
]


def version_of(if_match: str | None, version: int | None) -> int:
    """Read which version a change was made from; without one it could overwrite somebody else's change."""
    text = (if_match or "").strip().removeprefix("W/").strip('"')
    if text.isdecimal():
        return int(text)
    if if_match is not None or version is None:
        raise Permanent("version_required", 'send the version you have read, as `If-Match: "3"` or as `version`')
    return version


def tag(response: Response, version: int) -> None:
    """Tell the version of what is answered."""
    response.headers["ETag"] = f'"{version}"'


ERRORS: dict[int | str, dict[str, str]] = {
    401: {"description": "No token, or one that is not known (problem details)."},
    403: {"description": "The token may only read (problem details)."},
    404: {"description": "Not there, or another team's (problem details)."},
    409: {"description": "The name is taken, or somebody else has changed it since (problem details)."},
    422: {"description": "Something is wrong with what was sent: `detail` says what (problem details)."},
    428: {"description": "A change needs the version it was made from (problem details)."},
}
"""What may go wrong, for the description of the API."""
