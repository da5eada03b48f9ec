"""Tells the ends of jobs to an address, signed as Standard Webhooks: https://www.standardwebhooks.com."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx2 as httpx
from pydantic import SecretStr
from standardwebhooks import Webhook

from discubot_pipeline import __version__
from discubot_pipeline.adapters.http import retry_after
from discubot_pipeline.adapters.reach import Reach
from discubot_pipeline.domain.errors import Permanent, PipelineError, Transient
from discubot_pipeline.domain.hook import Notice

SECONDS, CONNECT_SECONDS = 10.0, 5.0
GONE = 410
WORTH_A_RETRY = frozenset({408, 429})


class WebhookHerald:
    """One target. No redirect is followed, no proxy asked, and of the answer only its head is read."""

    def __init__(self, url: str, secret: SecretStr, reach: Reach) -> None:
        self._url, self._secret, self._reach = url, secret, reach

    def tell(self, notice: Notice, is_repeated: bool) -> None:
        """Send a message; a repetition has the same `webhook-id`, by which receivers know it."""
        url, body = self._reach.check(self._url), notice.body
        addresses = self._reach.resolve(url)
        headers = self._headers(notice, body) | {"host": url.netloc.decode("ascii")}
        timeout = httpx.Timeout(SECONDS, connect=CONNECT_SECONDS)
        with httpx.Client(timeout=timeout, trust_env=False, follow_redirects=False) as client:
            judge(first_answer(client, url, addresses, headers, body))

    def _headers(self, notice: Notice, body: str) -> dict[str, str]:
        now, id = datetime.now(UTC), f"msg_{notice.id.hex}"
        return {
            "content-type": "application/json",
            "user-agent": f"discubot-pipeline/{__version__}",
            "webhook-id": id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self._secret.get_secret_value()).sign(id, now, body),
        }


def first_answer(
    client: httpx.Client, url: httpx.URL, addresses: list[str], headers: dict[str, str], body: str
) -> httpx.Response:
    """Send to the first address that can be reached, in the name of the host."""
    for address in addresses:
        asked = client.build_request(
            "POST",
            url.copy_with(host=address),
            content=body.encode(),
            headers=headers,
            extensions={"sni_hostname": url.host},
        )
        try:
            answer = client.send(asked, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            continue
        except httpx.TransportError as error:
            raise Transient("no_answer", f"the hook did not answer: {type(error).__name__}") from None
        answer.close()
        return answer
    raise Transient("unreachable", "the hook cannot be reached")


def judge(answer: httpx.Response) -> None:
    """Read the verdict off an answer's status: a retry helps with 408, 429 and 5xx; 410 wants no more of it."""
    status = answer.status_code
    if answer.is_success:
        return
    raise verdict(status, pause_of(answer))


def verdict(status: int, pause: timedelta | None) -> PipelineError:
    """Say what a status means."""
    if status >= 500 or status in WORTH_A_RETRY:
        return Transient("rate_limited" if status == 429 else "hook_down", f"the hook answered {status}", pause)
    if status == GONE:
        return Permanent("gone", "the hook answered 410: it wants to hear no more")
    return Permanent("refused", f"the hook answered {status}")


def pause_of(answer: httpx.Response) -> timedelta | None:
    """Read Retry-After, in seconds or as a date."""
    seconds = retry_after(answer)
    if seconds is not None:
        return max(seconds, timedelta())
    try:
        until = parsedate_to_datetime(answer.headers.get("retry-after", ""))
    except ValueError:
        return None
    return max(until.astimezone(UTC) - datetime.now(UTC), timedelta())
