"""Notion's API with one token: calls, lists, and every refusal turned into a verdict. Used by `notion.py`
and `notionsource.py`.

Facts: https://developers.notion.com/reference/status-codes and /request-limits. A write is never repeated
here: Notion has no idempotency keys, and a write that failed may have been saved.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx2 as httpx

from discubot_pipeline.adapters.http import Pace, Service, retry_after
from discubot_pipeline.domain.errors import Permanent, PipelineError, Transient, Unanswered

PAGE_SIZE = 100
MESSAGE_LENGTH = 500
Answer = dict[str, Any]


PATIENCE = 65.0
"""Seconds: Notion itself may work on a write for 55, and one that we gave up may still be saved."""


class Saved(Unanswered):
    """Notion says that a write was carried out, but not with what result; `resource_id` names the object."""

    def __init__(self, resource_id: str) -> None:
        super().__init__("no_answer", "Notion saved the change but could not answer in time")
        self.resource_id = resource_id


class Notion:
    """Calls of the API. Both kinds raise Transient or Permanent where Notion refuses."""

    def __init__(self, token: str, base_url: str, version: str, pace: Pace) -> None:
        headers = {"Authorization": f"Bearer {token}", "Notion-Version": version}
        self.version = version
        self._service = Service("Notion", base_url, headers, pace, refusal, PATIENCE)

    def read(self, method: str, path: str, json: Any = None, params: dict[str, str] | None = None) -> Answer:
        """Ask for something. Never Unanswered: reading again does no harm."""
        try:
            return self._answer(self._service.call(method, path, json=json, params=params))
        except Unanswered as error:
            raise Transient("notion_down", "Notion does not answer") from error

    def write(self, method: str, path: str, json: Any) -> Answer:
        """Change something. Raises Unanswered when it may have been saved, Saved when Notion says it was."""
        return self._answer(self._service.call(method, path, json=json))

    def items(self, path: str, **wanted: str) -> Iterator[Answer]:
        """Read a list to its last page."""
        params = {"page_size": str(PAGE_SIZE), **wanted}
        while True:
            answer = self.read("GET", path, params=params)
            yield from answer.get("results", ())
            if not (answer.get("has_more") and answer.get("next_cursor")):
                return
            params["start_cursor"] = answer["next_cursor"]

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def _answer(self, response: httpx.Response) -> Answer:
        body = body_of(response)
        if response.is_success and body:
            return body
        raise verdict(response.status_code, body)


def body_of(response: httpx.Response) -> Answer:
    """Read a JSON object; empty when the body is anything else, as the HTML of a gateway is."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def refusal(response: httpx.Response) -> PipelineError | None:
    """Tell a pause from a ban, and read the pause from the body where no header names it."""
    detail = _detail(body_of(response))
    if detail.get("rate_limit_reason") == "public_api_request_blocked":
        return Permanent("blocked", "Notion has blocked the requests of this connection")
    if retry_after(response) is None and str(detail.get("retry_after", "")).isdecimal():
        pause = timedelta(seconds=int(detail["retry_after"]))
        return Transient("rate_limited", "Notion asks for a pause", pause)
    return None


def verdict(status: int, body: Answer) -> PipelineError:
    """Say what an answer that brings no result means for the work."""
    message = str(body.get("message", ""))[:MESSAGE_LENGTH]
    detail = _detail(body)
    if status == 503 and isinstance(detail.get("committed_resource_id"), str):
        return Saved(detail["committed_resource_id"])
    if detail.get("error_type") == "multiple_data_sources_for_database":
        return ambiguous(detail.get("child_data_source_ids", ()))
    match status:
        case 400 | 413:
            return Permanent("validation", f"Notion does not accept the request: {message or status}")
        case 401:
            return Permanent("unauthorized", "Notion refuses the token: check the token of the connection")
        case 403:
            return Permanent("forbidden", f"The connection may not do this in Notion: {message}")
        case 404:
            return Permanent("not_found", "Notion shows no such thing: share the database with the connection")
        case 409 if body.get("code") == "conflict_error":
            return Transient("conflict", "Notion was saving another change")
        case _ if 300 <= status < 500:
            return Permanent("refused", f"Notion answered {status}: {message}")
    return Unanswered("no_answer", f"Notion answered {status} without a result")


def ambiguous(names: Any) -> Permanent:
    """Refuse to guess among several data sources."""
    listed = ", ".join(str(name) for name in names)
    return Permanent("ambiguous_data_source", f"The database has several data sources, choose one: {listed}")


def _detail(body: Answer) -> Answer:
    detail = body.get("additional_data")
    return detail if isinstance(detail, dict) else {}
