"""Figma's web addresses: links to comments, and the redirects in Figma's mails that lead to them."""

import re
from typing import Final
from urllib.parse import parse_qs, quote, unquote, urljoin, urlsplit

from discubot_pipeline.adapters.http import Service
from discubot_pipeline.domain.errors import PipelineError
from discubot_pipeline.domain.job import Value

SITE = "https://www.figma.com"
API = "https://api.figma.com"
DOMAIN: Final = "figma.com"
PATIENCE: Final = 3.0
MOST_HOPS: Final = 3
LONGEST: Final = 2000
KEY: Final = r"[A-Za-z0-9_-]{1,128}"
PLACE = re.compile(rf"/(?:figma/)?(?:file|design|board|proto|slides|buzz|site|make)/({KEY})(?:/branch/({KEY}))?(?:/|$)")
COMMENT = re.compile(r"(?:comment-)?([0-9]{1,64})")
PARAMETERS: Final = ("comment-id", "comment_id", "commentId")


class Target(Value):
    """What a link leads to: a file, by its key or its branch's, and a comment in it where it names one."""

    file_key: str
    comment_id: str | None = None


def site_of(base_url: str) -> str:
    """Give the address of the web site that belongs to an API: a stand-in's is at its own address."""
    base = base_url.rstrip("/")
    return SITE if base == API else base


def deep_link(site: str, file_key: str, comment_id: str, node_id: str | None) -> str:
    """Build the address of a comment, as people copy it."""
    query = f"?node-id={quote(node_id.replace(':', '-'), safe='-')}" if node_id else ""
    return f"{site}/design/{file_key}/{query}#{comment_id}"


def target_of(url: str, site: str = SITE) -> Target | None:
    """Read a link to a file, wherever in Figma it was copied; None when it is no such link."""
    try:
        parts = urlsplit(url.strip())
        found = PLACE.match(parts.path) if is_figma(url, site) else None
    except ValueError:
        return None
    if found is None:
        return None
    named = [parts.fragment, *(parse_qs(parts.query).get(name, [""])[0] for name in PARAMETERS)]
    comment = next((match[1] for match in map(COMMENT.fullmatch, named) if match), None)
    return Target(file_key=found[2] or found[1], comment_id=comment)


def thread_of(url: str, site: str = SITE) -> str | None:
    """Give the thread id that a comment's link stands for; None when it names no comment."""
    target = target_of(url, site)
    return f"{target.file_key}:{target.comment_id}" if target and target.comment_id else None


def is_figma(url: str, site: str = SITE) -> bool:
    """Tell whether an address is Figma's own: over https, on its hosts and usual port, without a user's name in it.

    The server of a stand-in is as good, where we were told to talk to one.
    """
    try:
        parts, own = urlsplit(url.strip()), urlsplit(site)
        if site != SITE and (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
            return True
        is_plain = parts.username is None and parts.password is None and parts.port in {None, 443}
    except ValueError:
        return False
    host = parts.hostname or ""
    return parts.scheme == "https" and is_plain and (host == DOMAIN or host.endswith(f".{DOMAIN}"))


def follow(url: str, site: str = SITE) -> Target | None:
    """Follow a redirect of a mail to the file that it leads to, with HEAD and over Figma's hosts only."""
    for _ in range(MOST_HOPS):
        if len(url) > LONGEST or not is_figma(url, site):
            return None
        target = target_of(url, site) or inside(url, site)
        location = None if target else ask(url)
        if location is None:
            return target
        url = joined(url, location)
    return target_of(url, site)


def joined(url: str, location: str) -> str:
    """Read a location, which may be relative; empty when it is no address."""
    try:
        return urljoin(url, location)
    except ValueError:
        return ""


def inside(url: str, site: str) -> Target | None:
    """Read the address that a redirect carries in its own, as tracking links often do."""
    values = [value for values in parse_qs(urlsplit(url).query).values() for value in values]
    return next(filter(None, (target_of(unquote(value), site) for value in values)), None)


def ask(url: str) -> str | None:
    """Ask where an address redirects to; None when it does not, or does not answer in time."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        with Service("Figma's mail links", f"{parts.scheme}://{parts.netloc}", {}, patience=PATIENCE) as service:
            answer = service.call("HEAD", path)
    except (PipelineError, UnicodeError):
        return None
    return answer.headers.get("location") if answer.is_redirect else None
