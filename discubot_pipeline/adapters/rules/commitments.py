"""Hears somebody take on what another one brought up, in any words: "that's on my plate", "correcting it today"."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from discubot_pipeline.adapters.rules import foreign
from discubot_pipeline.adapters.rules.antecedents import WANTED
from discubot_pipeline.adapters.rules.bugs import repair_of
from discubot_pipeline.adapters.rules.leads import strip_leads
from discubot_pipeline.adapters.rules.lexicon import lexicon
from discubot_pipeline.adapters.rules.sentences import ATOM, PERSON, Sentence
from discubot_pipeline.adapters.rules.titles import POINTERS, content_words
from discubot_pipeline.adapters.rules.verbs import IDLE, Tier, base_of, tier_of

REACH = 6
"""So many sentences back the matter may lie: as many are handed in."""

LONGEST = 24
FEWEST, MOST = 2, 18
"""So many words that mean something the sentence has that says what the matter is."""

_DAYLIKE = r"(?:right|now|today|tonight|tomorrow|this|first|later|asap|straight|in a|in the|on|by|before|after|until)"
_POINTER = r"(?:it|that|this|them|these|those|both|all of (?:it|them)|that one|this one)"
_SELF = (
    r"(?:i['’]?ll|i will|i can|i could|i['’]d|i would|i['’]m going to|will|let me|lemme|gonna|happy to|"
    r"i['’]m happy to|ill)"
)
_PARTICLE = r"(?:away at|on|at|into|through|up|out|over|in|down|with|after|to)"
_OWNS = re.compile(
    rf"(?:(?:i['’]m )?assigning (?:{_POINTER} )?to (?:me|myself)|assigned (?:{_POINTER} )?to (?:me|myself)|"
    rf"(?:{_POINTER}(?:['’]s| is| are) )?(?:already )?on (?:my (?:plate|list|desk|todo(?: list)?)|me)\b|"
    rf"{_SELF} have {_POINTER} (?:running|ready|done|fixed|up|live|for you|in)\b|"
    r"(?:the |a )?(?:fix|patch|pr|hotfix) (?:will be|should be|is) (?:up|out|in|there|ready|coming)\b|"
    rf"(?:{_POINTER}(?:['’]s| is| are) )mine\b|mine\b(?=[,.!]|$)|(?:i['’]m |already )?on (?:it|that)\b|"
    r"(?:(?:a |the )?(?:pr|patch|fix|draft|mr)(?: is)? (?:is )?(?:coming|incoming|on (?:its|the) way|underway|"
    r"in progress))|"
    r"you(?:['’]ll| will) (?:get|have) (?:it|that|this|them)\b|leave (?:it|that|this) (?:to|with) me|"
    r"give me (?:until|till|an? (?:day|hour|week)|\d)|"
    rf"(?:i['’]m )?(?:working on|taking|taking care of|dealing with|handling|looking into|sorting) {_POINTER}\b|"
    r"(?:i['’]?ll |i will |i |we['’]ll )?(?:will|can|could) do\b|(?:i['’]?ll|i will|will) do (?:it|that|this|so)\b|"
    r"(?:i['’]?ll|i will|will) take care(?: of (?:it|that|this))?\b(?! of)|consider (?:it|that)\b|"
    rf"i(?:['’]d| would) (?:like|love|be happy) to (?:work on|take|tackle|do|fix|own) {_POINTER}\b|"
    rf"(?:already )?i(?:['’]ve| have)? got (?:it|that|this)(?=[,.!]|$)|"
    rf"{_SELF} (?:take|do|handle|own|grab|fix|pick {_POINTER} up|pick up|take care of|deal with|sort(?: out)?|"
    rf"look after|"
    rf"tackle|process) {_POINTER}\b)",
    re.IGNORECASE,
)
_OF_THING = re.compile(
    rf"(?:(?P<named>(?!{_POINTER}\b)[^,:;?!]{{3,50}}?)(?:(?: is| are|['’]s) (?:mine|on me|on my (?:plate|list))|"
    r"[:,] (?:i['’]m )?on it|: me)\b|"
    rf"{_SELF} (?:also |then |only |just )?(?:take|do|handle|own|grab|pick up|take care of|look after|tackle|"
    rf"deal with) "
    rf"(?P<taken>(?!{_POINTER}\b|care\b|a look|some|my |your |a try)(?:the |our |that |this |#)?[^,;:?!]{{3,60}}))",
    re.IGNORECASE,
)
_VERB = re.compile(
    rf"(?:{_SELF} (?:also |then |just |quickly )?(?P<base>[a-z-]+)|(?:i['’]m |am )?(?P<gerund>[a-z]+ing))"
    rf"(?:(?: {_PARTICLE})? (?:{_POINTER}|him|her|{_DAYLIKE})\b|$)",
    re.IGNORECASE,
)
CHECKS = lexicon("check look find watch see double-check figure")
"""What people let themselves do before they say something."""

_MATTER = re.compile(
    r"\b(?:still|missing|wrong|broken|fail\w*|red|down|empty|blank|stuck|blocked|expire\w*|expiring|runs? out|outdated|"
    r"out of date|no longer|never|without|too \w+|twice|bug|error|typo|crash\w*|leak\w*|slow\w*|loop\w*|returns?|even "
    r"when|truncat\w+|spam|off by|gone|lost|forgot\w*|overwrit\w+|jump\w+|hang\w*|stale|unclear|confus\w+|mismatch\w*|"
    r"promised|promise|waits?|expects?|requested|cve|security|risky?|misspelled|truncates?|"
    r"dead|404|500s?|502|flicker\w*|overlap\w*|needs?|need|has to|have to|must|should|somebody|someone|asked for|"
    r"wants?|"
    r"old|who|due|deadline|sitting|waiting|open|skipp\w+|doubl\w+|duplicat\w+|drop\w*|ignor\w+|throw\w*|reject\w*|"
    r"nicht|kaputt|rot|fehlt|leer|falsch|alt|muss|doppelt|"
    r"niet|mislukt|vol|stuk|fout|mag|moet|dubbel|oud|verkeerd|"
    r"vides?|cassée?s?|pas|plus|faut|faudrait|manque|expire|erreur|vieux|"
    r"olvid\w+|falla\w*|rot[oa]s?|mal|falta|hay que|caduca|error(?:es)?|viej[oa]s?)\b|n['’]t\b|"
    r"(?:^|[ ,])no (?:funciona|carga|abre|se )",
    re.IGNORECASE,
)
_REACTION = re.compile(
    r"(?:yes|no|yeah|yep|ok|okay|thanks|thx|agree\w*|true|same|sure|great|nice|cool|lol|haha|hm+|oh|ah|ugh|sorry|"
    r"not me|"
    r"which|since|what|ja|nein|nee|oui|non|sí)\b[^,]{0,20}$",
    re.IGNORECASE,
)
_ADVICE = re.compile(r"\b(?:you|your|you['’]\w+|try|use|look|check|add|remove|put|then)\b", re.IGNORECASE)
_CALLED = re.compile(rf"(?:{PERSON}[ ,:]*)+(?!['’]s\b)")
_ATOM = re.compile(ATOM)
_PERSONAL = re.compile(
    rf" ?\(|(?:{PERSON}[ ,:]*)*(?:rush|worries|problem|anyways?|however|unfortunately|although|though|sometimes|"
    rf"actually|also|"
    r"as|at|in|instead|of course|i|i['’]\w+|you|you['’]\w+|he|she|it|it['’]s|they|which|that['’]s|there|there['’]s|"
    r"(?:this|that)(?= (?:is|was|will|would|could|can|does|did|seems|looks|sounds|makes|works|should|might|has|"
    r"one)\b)|what|where|when|why|"
    r"how|if|because|so|for|want|know|maybe|perhaps|probably|let['’]s|ich|du|ik|je|tu|yo)\b",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:gracias|danke|merci|thanks|thank you|saludos|(?:viele |liebe )?grüße|gruß|groet|cordialement|best|regards|"
    r"cheers|"
    r"kind regards|hi|hello|dear|hallo|bonjour|hola)\b",
    re.IGNORECASE,
)
_SUBJECT_END = re.compile(
    r" (?:is|are|was|were|isn['’]t|aren['’]t|has|have|hasn['’]t|haven['’]t|needs?|needed|runs? out|fails?|looks?|says?|"
    r"expires?|ends?|still|no longer|doesn['’]t|don['’]t|can['’]t|won['’]t|returns?|must|should|would|will|got|went|"
    r"keeps?|shows?|links?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Commitment:
    """What somebody takes on: `body` is the work, in the words of `about` or in their own."""

    about: Sentence
    body: str
    is_fault: bool = False


def commitment_in(sentence: Sentence, before: Sequence[Sentence], *, has_day: bool) -> Commitment | None:
    """Read a sentence as somebody's taking on of a matter before it; None where it is none."""
    text, _ = strip_leads(sentence, sentence.text.rstrip(" .!"))
    if sentence.is_question or sentence.is_joke or len(text.split()) > LONGEST or not sentence.writer:
        return None
    thing = _OF_THING.match(text)
    if thing:
        return _of_thing(sentence, thing["named"] or thing["taken"], before)
    for clause in (text, *text.split(", ")[1:]):
        verb = _verb(clause, has_day=has_day)
        is_foreign = bool(foreign.TAKES.search(clause))
        if verb is not None or _OWNS.match(clause) or is_foreign:
            matter = next(_matters(sentence, before, is_worded=is_foreign or verb is not None), None)
            return _about(matter, verb) if matter else None
    return None


def is_advice(sentence: Sentence) -> bool:
    """Say whether a sentence tells the one who asked what to do."""
    return bool(_ADVICE.search(sentence.text))


def _verb(text: str, *, has_day: bool) -> str | None:
    """Give the verb of "correcting it today"; None where there is none of work."""
    match = _VERB.match(text)
    if not match:
        return None
    word = (match["gerund"] or match["base"]).casefold()
    verb = (base_of(word) or "") if match["gerund"] else word
    if (
        (word in IDLE and word != "play")
        or tier_of(verb) is Tier.TALKS
        or (not verb and match.end() == match.end("gerund"))
    ):
        return None
    has_day = has_day and verb not in CHECKS
    is_deed = tier_of(verb) in (Tier.DELIVERS, Tier.HANDS) or (
        text.startswith(("let me", "lemme")) and verb not in CHECKS
    )
    return verb if is_deed or has_day or (match["gerund"] and not verb) else None


def _of_thing(sentence: Sentence, what: str, before: Sequence[Sentence]) -> Commitment | None:
    words = content_words(sentence.show(what)) - POINTERS
    is_known = any(words & content_words(each.show()) for each in _others(sentence, before))
    return Commitment(sentence, what.strip()) if is_known else None


def _about(matter: Sentence, verb: str | None) -> Commitment:
    repair = repair_of(matter)
    if repair and not verb:
        return Commitment(matter, repair, is_fault=True)
    text, _ = strip_leads(matter, matter.text.rstrip(" .!?"))
    text = _CALLED.sub("", text)
    end, wanted = _SUBJECT_END.search(text), WANTED.match(text)
    subject = wanted["what"] if wanted else text[: end.start()] if end else text
    if verb and tier_of(verb) is not Tier.UNKNOWN and content_words(matter.show(subject)):
        return Commitment(matter, f"{verb} {subject}", is_fault=bool(repair))
    return Commitment(matter, text, is_fault=bool(repair))


def _matters(sentence: Sentence, before: Sequence[Sentence], *, is_worded: bool) -> Iterator[Sentence]:
    """Give what was brought up before, the nearest first: by others, else by the writer in an earlier message."""
    own = [each for each in _near(sentence, before) if each.message.author.id == sentence.message.author.id]
    telling = [each for each in _others(sentence, before) if _is_telling(each)]
    yield from (each for each in telling if _MATTER.search(each.text))
    if is_worded:
        yield from telling[:1]
    elif telling and telling[0] in _others(sentence, before)[:1]:
        yield telling[0]
    if is_worded:
        yield from (each for each in reversed(before) if each.message.id == sentence.message.id and _is_telling(each))
        yield from (each for each in own if _is_telling(each) and repair_of(each))


def _is_telling(sentence: Sentence) -> bool:
    """Say whether a sentence tells of a thing, not of a person, and is no reaction."""
    if sentence.is_question or sentence.is_joke or _REACTION.match(sentence.text) or _CLOSING.match(sentence.text):
        return False
    text, _ = strip_leads(sentence, sentence.text)
    if any(sentence.show(atom).startswith("`") for atom in _ATOM.findall(text)):
        return False
    return not _PERSONAL.match(text) and FEWEST <= len(content_words(sentence.show())) <= MOST


def _others(sentence: Sentence, before: Sequence[Sentence]) -> list[Sentence]:
    return [each for each in _near(sentence, before) if each.message.author.id != sentence.message.author.id]


def _near(sentence: Sentence, before: Sequence[Sentence]) -> list[Sentence]:
    return [each for each in reversed(before) if each.message.id != sentence.message.id]
