"""The verbs of asking and doing, and their forms. Every other rule asks here whether a word is work."""

from enum import StrEnum

from discubot_pipeline.adapters.rules.lexicon import lexicon


class Tier(StrEnum):
    """How much a verb says about work: delivers a result, hands something over, acts, or only talks."""

    DELIVERS = "delivers"
    HANDS = "hands"
    ACTS = "acts"
    TALKS = "talks"
    UNKNOWN = "unknown"


DELIVERS = lexicon(
    """
    add adjust align amend archive arrange assign attach automate backport benchmark bind book build bump
    buy cancel change clean clear clone cleanup close compile compress configure connect consolidate convert
    copy correct create crop customise darken customize debug decrease delete deliver deploy deprecate design
    develop disable document downgrade draft drop edit enable encode encrypt enlarge escalate evaluate
    expand export expose extend extract file finalise finalize finish fix format generate hide hire
    implement import improve include increase insert install integrate introduce investigate invoice launch
    lighten limit localise localize lower make measure merge migrate mock modernise modernize monitor move onboard
    open optimise optimize order organise organize package patch plan polish port prepare prioritise
    prioritize produce profile program promote prototype provision publish purge push raise rebase rebuild
    record rectify redesign redirect redo reduce refactor refine refresh release remove renew reassign
    reschedule reword rephrase register retest rename reorder reorganise reorganize repair replace report
    reproduce request reset reshape resize resolve restart restore restructure retire revert revise revoke
    rework rewrite rollback rotate scale schedule scope secure setup ship shorten shrink simplify sketch
    split standardise standardize style submit subscribe swap switch sync tag test tidy tighten track train
    transfer translate trim tweak unblock undo unify uninstall unpublish unsubscribe update upgrade upload
    validate verify whitelist widen wire wrap write reserve backfill reindex mute unmute throttle align center centre
    recolor recolour duplicate annotate restock relabel lift tune straighten stub pin dedupe recruit draw shard
    process mock redraw rebrand reprint scan sweep wipe extend unsubscribe decommission sunset phase shut
    renegotiate quote price sponsor ship nudge pack label
    """
)
"""A promise or an order with one of these names a result that can be looked at."""

HANDS = lexicon(
    """
    answer alert announce ask call circulate contact email forward inform invite mail message notify pay
    phone ring ping post present provide mention handle remind reply respond return review send share sign warn hand
    print invoice countersign refund reimburse chase
    """
)

ACTS = lexicon(
    """
    analyse set analyze approve apply audit bring comment check choose coordinate collect compare complete
    conduct continue decide define delegate determine discuss double-check ensure estimate explore figure
    fill find follow gather identify inspect join look meet pick pull put rerun research run sort
    speak start stop take talk turn upvote use vet vote watch
    """
)

TALKS = lexicon(
    """
    advise assume be bear believe clarify describe do elaborate enjoy enlighten excuse expect explain feel
    forget forgive give guess have hear help hold imagine know let like mean mind name note point read
    recall recommend remember repeat say see show spell stay suggest suppose tell think trust understand
    wait walk want welcome wonder worry
    """
)

IDLE = lexicon(
    """
    buy try reproduce confirm imagine relate live report pass stay keep leave wait come go be have need want love
    bet miss regret drink eat sleep paste respect mess study play experiment use never always certainly
    definitely still rush not think guess hope wonder
    going being having getting coming trying waiting looking thinking hoping wondering loving seeing leaving running
    nothing something anything everything thing morning evening amazing interesting boring sounding missing according
    during including depending meaning speaking talking asking using working testing reading learning playing
    """
)
"""Verbs of a promise that delivers nothing, and words that only look like one."""

NOUNLIKE = lexicon(
    """
    access alert answer audit book build call change check cleanup close copy cut debug deploy design document
    draft drop edit email estimate export file fix format hand import increase invoice launch limit look mail
    measure merge message mock monitor move open order package paste patch plan port post process profile
    program prototype pull push record release report request research reset return review rework run scale
    center centre label lift mute phone pin print refund schedule scope scan price quote shard sweep pack shut phase
    sponsor set share ship sign sketch split start stop style switch sync tag test track train
    transfer turn tweak update upgrade upload use watch work wrap
    """
)
"""Verbs that are as often nouns: they count as verbs only before a word that opens an object."""

REPAIRS = lexicon("correct debug fix handle investigate patch repair resolve solve")

IRREGULAR = {
    "bought": "buy",
    "built": "build",
    "done": "do",
    "found": "find",
    "gotten": "get",
    "hidden": "hide",
    "kept": "keep",
    "made": "make",
    "met": "meet",
    "paid": "pay",
    "rebuilt": "rebuild",
    "redone": "redo",
    "rewritten": "rewrite",
    "sent": "send",
    "taken": "take",
    "undone": "undo",
    "written": "write",
    "wrote": "write",
}

DOUBLING = lexicon(
    """
    crop cut debug drop format get plan put rerun reset run set ship split stop submit swap tag transfer
    trim vet wrap
    """
)

UNCHANGED = lexicon("cut put reset run set setup split")

WORK = DELIVERS | HANDS | ACTS


def _forms(verb: str) -> tuple[str, ...]:
    stem = verb[:-1] if verb.endswith("e") and verb not in {"be", "see"} else verb
    if verb in DOUBLING:
        stem = verb + verb[-1]
    if verb.endswith("y") and verb[-2:-1] not in "aeiou":
        return (stem + "ing", verb[:-1] + "ied")
    return (stem + "ing", stem + "ed")


_BASES: dict[str, str] = {form: verb for verb in WORK for form in _forms(verb)} | IRREGULAR


def tier_of(word: str) -> Tier:
    """Say what kind of verb a lower-case base form is, "re-send" as "send"; UNKNOWN for anything else."""
    word = word.removeprefix("re-")
    if word.removeprefix("un") in DELIVERS or word.removeprefix("re") in DELIVERS:
        return Tier.DELIVERS
    for tier, verbs in (
        (Tier.DELIVERS, DELIVERS),
        (Tier.HANDS, HANDS),
        (Tier.ACTS, ACTS),
        (Tier.TALKS, TALKS),
    ):
        if word in verbs:
            return tier
    return Tier.UNKNOWN


def base_of(word: str) -> str | None:
    """Give the base form of a participle or gerund ("updated", "fixing"); None when it is no form of a work verb."""
    word = word.casefold()
    if word in UNCHANGED:
        return word
    return _BASES.get(word)


def stem_of(word: str) -> str:
    """Reduce a word so that its forms meet: "updates", "updated" and "updating" are one."""
    word = word.casefold()
    return (_BASES.get(word) or _singular(word)).rstrip("e")


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    for ending in ("es", "s", "ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            return word[: -len(ending)]
    return word
