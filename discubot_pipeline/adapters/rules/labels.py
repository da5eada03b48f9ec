"""Reads priority, type, tags and domain off the words that stand there; null where they do not say."""

import re

from discubot_pipeline.adapters.rules.lexicon import lexicon
from discubot_pipeline.domain.analysis import Priority, TaskType

_NOT = re.compile(
    r"(?:\b(?:not|isn't|isn’t|aren't|wasn't|no longer|hardly|never|less|nothing|nicht|niet|pas|no)\b|"
    r"n't)[\w ]{0,14}$",
    re.I,
)

PRIORITIES = tuple(
    (priority, re.compile(pattern, re.IGNORECASE))
    for priority, pattern in (
        (
            Priority.LOW,
            r"\b(?:low[- ]prio(?:rity)?|priority:? low|nice[- ]to[- ]have|whenever you (?:can|have|get)|whenever|"
            r"no rush|no hurry|not a priority|p[34])\b",
        ),
        (
            Priority.URGENT,
            r"\b(?:urgent|urgently|asap|a\.s\.a\.p|as soon as possible|critical|blocker|blocking (?:us|"
            r"the release)|emergency|immediately|right away|p0|dringend|urgente?)\b",
        ),
        (
            Priority.HIGH,
            r"\b(?:important|high[- ]prio(?:rity)?|top[- ]priority|priority:? high|prio 1|p1|wichtig|belangrijk|"
            r"importante?)\b",
        ),
        (Priority.MEDIUM, r"\b(?:medium[- ]prio(?:rity)?|priority:? medium|p2)\b"),
    )
)

TYPES = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (
            TaskType.QUESTION,
            r"^(?:ask|clarify|find out|figure out|decide|determine|check (?:if|whether)|confirm (?:if|whether))\b",
        ),
        (
            TaskType.BUG,
            r"\b(?:bugs?|broken|crash(?:es|ed|ing)?|errors?|exceptions?|fail(?:s|ed|ing|ures?)?|regressions?|"
            r"hotfix|not working|(?:doesn|don|isn)['’]t (?:work|load|open|show|render|respond)|freez(?:es|ing)|"
            r"hangs|glitch(?:es)?|typos?|defects?|throw(?:s|ing)|outages?|leaks?)\b",
        ),
        (
            TaskType.IMPROVEMENT,
            r"\b(?:improve\w*|optimi[sz]e\w*|refactor\w*|simplify|speed up|faster|clean ?up|polish|tidy|"
            r"modernise|modernize|enhance\w*|streamline|performance|usability|redesign)\b",
        ),
        (
            TaskType.FEATURE,
            r"\bfeature\b|^(?:add|create|build|implement|introduce|develop)\b",
        ),
    )
)

DOMAINS = tuple(
    (domain, re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE))
    for domain, pattern in (
        (
            "design",
            r"design|designs|mockups?|figma|wireframes?|typography|fonts?|colou?rs?|icons?|logos?|spacing|"
            r"illustrations?",
        ),
        ("frontend", r"frontend|front-end|css|react|vue|components?|browser|javascript|typescript|html"),
        (
            "backend",
            r"backend|back-end|api|apis|endpoints?|database|migrations?|server|sql|queues?|webhooks?",
        ),
        ("product", r"requirements?|roadmap|user stor(?:y|ies)|specs?|personas?"),
        ("marketing", r"newsletter|campaigns?|seo|press release|social media"),
        ("docs", r"docs|documentation|readme|changelog|manual"),
    )
)

NO_TAGS = lexicon(
    """
    lang t f true false include define if ifdef endif else pragma region import undef error
    """
)
MOST_TAGS = 5
_TAG = re.compile(r"(?<![\w&/#:])#(?P<tag>[a-z][\w-]{1,30})(?![\w:])", re.IGNORECASE)


def priority_of(text: str) -> Priority | None:
    """Read the priority; "not urgent" is none."""
    for priority, pattern in PRIORITIES:
        if any(not _NOT.search(text[max(0, found.start() - 24) : found.start()]) for found in pattern.finditer(text)):
            return priority
    return None


def type_of(title: str, text: str) -> TaskType | None:
    """Read the type off the title, else off what was said; null when two fit equally badly."""
    for place in (title, text):
        for kind, pattern in TYPES:
            if pattern.search(place) and not (place is text and kind is TaskType.FEATURE):
                return kind
    return None


def domain_of(text: str) -> str | None:
    """Name the one domain whose words stand there; null when there is none or more than one."""
    found = [domain for domain, pattern in DOMAINS if pattern.search(text)]
    return found[0] if len(found) == 1 else None


def tags_in(text: str) -> tuple[str, ...]:
    """List the hashtags, each once, in lower case."""
    tags = (match["tag"].casefold() for match in _TAG.finditer(text))
    return tuple(dict.fromkeys(tag for tag in tags if tag not in NO_TAGS))[:MOST_TAGS]
