"""Finds the day by which something is wanted. Relative days count from the message's own time in its author's zone."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.relativedelta import relativedelta

from discubot_pipeline.domain.discussion import Message

FRIDAY = 4
FARTHEST = timedelta(days=300)
"""A day without a year that lies farther ahead than this was more likely meant in the past."""

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar januari janvier enero",
            "february feb februar februari février febrero",
            "march mar märz maart mars marzo",
            "april apr avril abril",
            "may mai mei mayo",
            "june jun juni juin junio",
            "july jul juli juillet julio",
            "august aug augustus août agosto",
            "september sep sept septembre septiembre",
            "october oct oktober okt octobre octubre",
            "november nov novembre noviembre",
            "december dec dezember dez décembre diciembre",
        ),
        start=1,
    )
    for name in names.split()
}
WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "monday montag maandag lundi lunes",
            "tuesday tue tues dienstag dinsdag mardi martes",
            "wednesday wed mittwoch woensdag mercredi miércoles",
            "thursday thu thur thurs donnerstag donderdag jeudi jueves",
            "friday fri freitag vrijdag vendredi viernes",
            "saturday samstag zaterdag samedi sábado",
            "sunday sonntag zondag dimanche domingo",
        )
    )
    for name in names.split()
}
NUMBERS = {
    word: number
    for number, word in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], start=1
    )
} | {"a": 1, "an": 1}

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_DAY = "|".join(sorted(WEEKDAYS, key=len, reverse=True))
_PREPOSITION = (
    r"\b(?:not later than|no later than|at the latest|due(?: date)?:?(?: on| by)?|deadline:?(?: is)?|by|before|"
    r"until|till|on|for|bis(?: zum)?|uiterlijk(?: op)?|spätestens(?: am)?|au plus tard(?: le)?|"
    r"a más tardar(?: el)?|tegen|vóór|voor|avant|pour|d'ici|antes del?|para|am|op|le|el) (?:the )?"
)
_LEAD = f"(?:{_PREPOSITION})?"
_WHICH = r"(?P<which>this|next|coming|nächsten|volgende) "
_PART = (
    r"(?: (?:morning|noon|afternoon|evening|night|früh|vormittag|mittag|nachmittag|abend|ochtend|middag|avond|matin|"
    r"midi|après-midi|soir|tarde|noche))?(?![\w'’])"
)
_NOT_PAST = r"(?<!last )(?<!since )(?<!past )(?<!from )(?<!every )(?<!each )"
_YEAR = r"(?P<year>20\d\d|\d\d)"
_SLASHED = (
    r"(?<![\w/])(?P<day>1[3-9]|2\d|3[01])/(?P<month>0?[1-9]|1[0-2])",
    r"(?<![\w/])(?P<month>0?[1-9]|1[0-2])/(?P<day>1[3-9]|2\d|3[01])",
    r"(?<![\w/])(?P<day>0?[1-9]|1[0-2])/(?P<month>(?P=day))",
)
"""25/12 and 12/25 and 5/5 can be told; 3/12 could be either day and is no date."""
_COUNT = r"(?P<count>\d{1,3}|" + "|".join(NUMBERS) + ")"

_HINT = re.compile(
    rf"\d|\b(?:{_MONTH}|{_DAY}|today|tonight|tomorrow|tmrw?|eod|cob|eow|eom|end|ende|eind|einde|fin|final|finales|"
    rf"monatsende|"
    r"days?|weeks?|months?|business|morgen|übermorgen|overmorgen|demain|après|pasado|mañana|heute|vandaag|vanmiddag|"
    r"vanavond|aujourd|hoy|this|ce|cet|cette|esta|diese|dieser|deze)\b",
    re.IGNORECASE,
)
"""Without one of these no day is named: spares the patterns below."""

Resolver = Callable[[re.Match[str], date], date | None]


def due_in(text: str, message: Message, time_zone: str) -> date | None:
    """Find the day a text names, the first that can be told for certain."""
    if not _HINT.search(text):
        return None
    sent = message.sent_at.astimezone(_zone(message.author.time_zone) or _zone(time_zone) or ZoneInfo("UTC")).date()
    found: list[tuple[int, date]] = []
    for pattern, resolve in PATTERNS:
        match = pattern.search(text)
        day = _resolved(resolve, match, sent) if match else None
        if match and day:
            found.append((match.start(), day))
    return min(found)[1] if found else None


@lru_cache(maxsize=1024)
def without_date(text: str) -> str:
    """Take the days out of a text, with the words that lead to them."""
    if _HINT.search(text):
        for pattern, _ in PATTERNS:
            text = pattern.sub(" ", text)
    return " ".join(text.split())


def _resolved(resolve: Resolver, match: re.Match[str], sent: date) -> date | None:
    try:
        return resolve(match, sent)
    except (ValueError, OverflowError):
        return None


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _iso(match: re.Match[str], sent: date) -> date | None:
    return date(int(match["year"]), int(match["month"]), int(match["day"]))


def _named_month(match: re.Match[str], sent: date) -> date | None:
    month, day = MONTHS[match["month"].casefold()], int(match["day"])
    if match["year"]:
        return date(int(match["year"]), month, day)
    return _coming(date(sent.year, month, day), sent)


def _numbered(match: re.Match[str], sent: date) -> date | None:
    day, month, year = int(match["day"]), int(match["month"]), match["year"]
    if year:
        return date(int(year) + (2000 if len(year) == 2 else 0), month, day)
    return _coming(date(sent.year, month, day), sent)


def _coming(day: date, sent: date) -> date | None:
    day = day if day >= sent else day + relativedelta(years=1)
    return day if day - sent <= FARTHEST else None


def _weekday(match: re.Match[str], sent: date) -> date | None:
    """Friday is the next one after the day it is written on; next Friday is the one in the week after this."""
    wanted = WEEKDAYS[match["name"].casefold()]
    which = (match.groupdict().get("which") or "").casefold()
    if which in ("next", "nächsten", "volgende"):
        return sent + timedelta(days=7 - sent.weekday() + wanted)
    ahead = (wanted - sent.weekday()) % 7
    return sent + timedelta(days=ahead if ahead or which == "this" else 7)


def _week_end(match: re.Match[str], sent: date) -> date | None:
    later = 7 if "next" in match[0].casefold() else 0
    return sent + timedelta(days=(FRIDAY - sent.weekday()) % 7 + later)


def _month_end(match: re.Match[str], sent: date) -> date | None:
    name = match.groupdict().get("month")
    if not name:
        return sent + relativedelta(day=31)
    return _coming(date(sent.year, MONTHS[name.casefold()], 1) + relativedelta(day=31), sent)


def _day_of_month(match: re.Match[str], sent: date) -> date | None:
    day = int(match["day"])
    this = sent.replace(day=1) if day >= sent.day else sent.replace(day=1) + relativedelta(months=1)
    return this.replace(day=day)


def _ahead(match: re.Match[str], sent: date) -> date | None:
    count = match["count"].casefold()
    number = NUMBERS.get(count) or int(count)
    unit = match["unit"].casefold()
    if unit.startswith("month"):
        return sent + relativedelta(months=number)
    return sent + timedelta(days=number * (7 if unit.startswith("w") else 1))


def _days(number: int) -> Resolver:
    return lambda match, sent: sent + timedelta(days=number)


PATTERNS: tuple[tuple[re.Pattern[str], Resolver], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), resolve)
    for pattern, resolve in (
        (_LEAD + r"(?<![\w-])(?P<year>20\d\d)-(?P<month>\d\d)-(?P<day>\d\d)(?![\w-])", _iso),
        (
            _LEAD + rf"(?<![\w.])(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.|er)?(?: of| de)? (?P<month>{_MONTH})\b\.?"
            r"(?:,? (?P<year>20\d\d))?(?!\w)",
            _named_month,
        ),
        (
            _LEAD + rf"\b(?P<month>{_MONTH})\.? (?P<day>\d{{1,2}})(?:st|nd|rd|"
            rf"th)?(?:,? (?P<year>20\d\d))?(?![\w:.]\d|\w)",
            _named_month,
        ),
        *((rf"{_LEAD}{day}/{_YEAR}(?![\w/])", _numbered) for day in _SLASHED),
        *((rf"{_PREPOSITION}{day}(?P<year>(?!))?(?![\w/])", _numbered) for day in _SLASHED),
        (rf"{_LEAD}(?<![\w.])(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.{_YEAR}(?!\w)", _numbered),
        (rf"{_PREPOSITION}(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>(?!))?(?!\w)", _numbered),
        (
            _LEAD + r"(?<!\w)(?:(?:the )?day after tomorrow|übermorgen|overmorgen|après-demain|pasado mañana)(?!\w)",
            _days(2),
        ),
        (
            _LEAD + r"(?<!guten )(?<!goede )(?<!buenos )\b(?:(?:end of (?:day|business) )?(?:tomorrow|tmrw|tmr)|"
            r"morgen|demain|mañana)" + _PART,
            _days(1),
        ),
        (
            _LEAD + r"\b(?:today|tonight|eod|cob|(?:the )?end of (?:the )?(?:day|business)|heute|vandaag|"
            r"aujourd'hui|hoy|esta (?:tarde|noche)|ce (?:matin|soir)|cet après-midi|vanmiddag|vanavond|"
            r"(?:later )?this (?:afternoon|evening))" + _PART,
            _days(0),
        ),
        (_LEAD + r"\b(?:the )?end of next week\b", _week_end),
        (
            _LEAD + r"\b(?:eow|(?:the )?end of (?:the |this )?week|this week|ende (?:der|dieser) woche|diese woche|"
            r"(?:het )?eind(?:e)? van (?:de|deze) week|deze week|(?:la )?fin de (?:la )?semaine|cette semaine|"
            r"(?:el )?(?:final|fin) de (?:la )?semana|esta semana)(?![\w'’])",
            _week_end,
        ),
        (_LEAD + rf"\b(?:the )?(?:end of|ende|eind|fin(?: de)?|finales de) (?P<month>{_MONTH})\b", _month_end),
        (_LEAD + r"\b(?:monatsende|(?:het )?eind van de maand|(?:la )?fin du mois|fin de mes)\b", _month_end),
        (
            rf"{_PREPOSITION}(?<=the )(?P<day>\d{{1,2}})(?:st|nd|rd|th)\b(?=\W*$|[,.;:!?)]| (?:at|and|or|so|if)\b)",
            _day_of_month,
        ),
        (_LEAD + r"\b(?:eom|(?:the )?end of (?:the |this )?month)\b", _month_end),
        (rf"\b(?:within|in) (?:the next )?{_COUNT} (?P<unit>days?|weeks?|months?)\b(?! ago)", _ahead),
        (rf"{_PREPOSITION}(?:{_WHICH})?(?P<name>{_DAY}){_PART}", _weekday),
        (rf"{_NOT_PAST}\b{_WHICH}(?P<name>{_DAY}){_PART}", _weekday),
        (rf"{_NOT_PAST}\b(?P<name>{_DAY}){_PART}(?=\W*$)", _weekday),
    )
)
