"""What a text sounds like: the turns of phrase in five languages that say who takes, asks, refuses or has finished
something, and the words of a text for counting. Data for `talk` and `traits`; none of it decides anything by itself.
"""

import re
from functools import lru_cache
from itertools import pairwise
from typing import Final

from discubot_pipeline.adapters.rules.sentences import ATOM, ATOM_END, ATOM_START, PERSON, PERSON_START

MOST_WORDS = 60


def _pattern(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases))


def _words(phrases: str) -> str:
    return rf"\b(?:{'|'.join(phrases.split(' | '))})\b"


CUES: Final[dict[str, re.Pattern[str]]] = {
    "commit": _pattern(
        _words(
            "i['’]?ll | i will | will do | on it | mine | i can (?:take|do|have|write|send|look|fix|make) | "
            "i['’]m (?:on|doing|taking|going to) | let me | lemme | gonna | taking | doing (?:it|that|this) | "
            "consider it | leave it (?:to|with) me | i got (?:it|this) | i have (?:it|that|this) | "
            "assigning (?:it|this|myself|to me) | i['’]?d be happy | my (?:plate|list|desk|job|turn) | "
            "(?:^|: |→ ?)me"
        ),
        _words(
            "ich (?:mach|kümmer|übernehm|schick|schreib|bestell|prüf|änder|korrigier|stell|leg|bau|nehm|ruf|frag|les|"
            "werde)\\w* | mach(?:e)? ich | übernehme ich | kümmere ich | wird erledigt | "
            "ik (?:doe|zal|ga|pak|maak|stuur|regel|fix|zet|bel|vraag|kijk|neem|schrijf|werk) | doe ik | regel ik | "
            "komt (?:goed|eraan)"
        ),
        _words(
            "je (?:m['’]en|vais|fais|le fais|m['’]occupe|corrige|prépare|envoie|prends|mets|lance|regarde|modifie) | "
            "c['’]est (?:noté|pour moi) | yo (?:me|lo|la) | me encargo | me ocupo | "
            "lo (?:hago|miro|arreglo|mando|preparo|subo|cambio) | la (?:hago|mando|preparo|subo) | voy a | ahora lo | "
            "déjamelo"
        ),
    ),
    "assent": _pattern(
        r"^\W*(?:yes|yep|yeah|yup|sure|ok|okay|k|np|no problem|of course|gladly|absolutely|definitely|alright|"
        r"fine|deal|"
        r"right|noted|agreed|got it|roger|will do|happy to|ack|good (?:catch|point|idea|call)|makes sense|fair|true|"
        r"sounds good|perfect|great|convinced|guilty|"
        r"👍|🙏|✅|👌|🫡|:\+1:|ja|jep|klar|gerne|mach ich|passt|stimmt|prima|"
        r"goed|is goed|top|oui|d['’]accord|bien sûr|entendu|ça marche|sí|si|vale|claro|por supuesto|de acuerdo|hecho)"
        r"(?![\w'’])"
    ),
    "sign": _pattern(r"👍|👌|🫡|✅|🙋|:\+1:|:thumbsup:|\+1|✋|💪|🙏|🤝"),
    "handover": _pattern(
        r"\b(?:give (?:it|that|this) to me|assign (?:it|this|that) to|lands on|(?:it|that)['’]?s (?:yours|"
        r"on (?:me|you))|"
        r"your name down|over to|all yours|volunteer\w*|raises hand|i claim|i['’]m in)\b|→|->|: me\b|\bme[.!]?$"
    ),
    "go": _pattern(
        r"^\W*(?:please(?: do)?|go (?:for it|ahead)|do (?:it|that)|yes,? please|sounds good|deal|love it|works for me|"
        r"that (?:would|['’]d) be (?:great|lovely|nice|perfect))\b"
    ),
    "doing": _pattern(r"^\W*(?:(?:ok|okay|yep|yes|right|alright|sure|ah|oh|cool|damn)\W+)?(?:already )?[a-z]{2,}ing\b"),
    "coming": _pattern(
        r"\b(?:coming|on its way|in the next version|will be (?:in|there|up|fixed|done)|comes? (?:on|today|tomorrow)|"
        r"incoming|(?:in a|one) (?:sec|min|bit)|\d+ min|right (?:away|now)|kommt|komt|arrive)\b"
    ),
    "done": _pattern(
        _words(
            "done | fixed | merged | pushed | deployed | shipped | sent | already | is live | live now | resolved | "
            "solved | closed | published | uploaded | updated | reverted | renewed | works now | worked | all good | "
            "green again | just (?:did|sent|changed|pushed|fixed|merged) | attached | is in | finished | "
            "erledigt | schon | bereits | gemacht | geschickt | gefixt | klaar | gedaan | gestuurd | fait | "
            "c['’]est bon | envoyé | déjà | corrigé | hecho | ya (?:está|lo) | listo | enviado | arreglado | subido"
        )
    ),
    "cancel": _pattern(
        _words(
            "never ?mind | nvm | forget (?:it|that) | no need | not (?:needed|necessary|worth|now|anymore) | "
            "won['’]t | "
            "leave it | skip | scrap | cancel\\w* | drop (?:it|that) | let['’]s not | park(?:ed)? | later | "
            "next (?:year|quarter) | backlog | false alarm | works as | no longer | instead | nicht (?:nötig|mehr) | "
            "lass | laat maar | niet (?:nodig|meer) | hoeft niet | pas (?:besoin|la peine) | laisse | oublie | "
            "annul\\w+ | no hace falta | déjalo | olvíd\\w+ | ya no"
        )
    ),
    "request": _pattern(
        _words(
            "(?:can|could|would|will) (?:you|u|someone|somebody|anyone|we) | please | pls | plz | mind \\w+ing | "
            "need (?:you|someone) | bitte | könn(?:test|en|ten) (?:du|sie|ihr|wir) | kannst du | "
            "kun(?:nen)? (?:je|jij|jullie|we) | wil je | zou je | graag | svp | stp | s['’]il (?:te|vous) | "
            "(?:peux|pourrais|pouvez|pourriez)[- ](?:tu|vous) | tu p(?:eux|ourrais) | puedes | podrías? | "
            "pod(?:éis|emos) | por favor | porfa"
        )
    ),
    "oblige": _pattern(
        _words(
            "should | must | needs? to | has to | have to | had to | ought | needs? | still (?:missing|open|to do) | "
            "to ?do | missing | muss | müssen | müsste | sollte\\w* | braucht | brauchen | fehlt | fehlen | moet\\w* | "
            "nodig | ontbreekt | doit | doivent | devrait | devrions | il faut | faudrait | manque | hay que | "
            "tiene\\w* que | tenemos que | debe\\w* | falta\\w* | necesita\\w*"
        )
    ),
    "hedge": _pattern(
        _words(
            "maybe | perhaps | might | some ?day | one day | eventually | would be (?:nice|cool|great) | "
            "could (?:also|maybe) | wish | if only | ever | probably | what if | vielleicht | irgendwann | misschien | "
            "ooit | peut-être | un jour | quizás? | algún día | tal vez"
        )
    ),
    "howto": _pattern(
        _words(
            "how (?:do|can|to|does|should) | what(?:['’]s| is| are| does) | is there | does (?:anyone|anybody) | "
            "where (?:is|do|can) | which | why | anyone know | wie (?:kann|geht|mach|komm) | warum | weiß jemand | "
            "hoe (?:kan|moet|doe) | waarom | weet iemand | comment | pourquoi | quelqu['’]un sait | est-ce que | "
            "cómo | "
            "por qué | alguien sabe"
        )
    ),
    "advice": _pattern(
        _words(
            "you (?:can|could|need|have|should|might|may) | try | use | just | make sure | du (?:kannst|musst) | "
            "je (?:kunt|moet) | tu (?:peux|dois) | puedes"
        )
    ),
    "past": _pattern(
        _words(
            "was | were | did | had | yesterday | last (?:week|month|year|night) | ago | gestern | letzte | gisteren | "
            "vorige | hier | dernier | ayer | pasad[oa] | \\w{3,}ed"
        )
    ),
    "self": _pattern(r"\b(?:i|me|my|ich|mir|ik|mij|je|moi|yo)\b|\bi['’]"),
    "you": _pattern(_words("you | your | du | dir | dein\\w* | sie | jij | jouw | tu | toi | vous | tú | usted")),
    "we": _pattern(
        _words(
            "we | us | our | let['’]s | wir | uns | unser\\w* | wij | ons | onze | nous | notre | nosotros | nuestr\\w+"
        )
    ),
    "pointer": _pattern(
        _words(
            "it | this | that | these | those | them | one | es | das | dies | het | dit | dat | ça | cela | lo | eso"
        )
    ),
    "not": _pattern(r"\b(?:not|no|never|nicht|kein\w*|niet|geen|pas|jamais|nunca)\b|n['’]t\b"),
    "joke": _pattern(r"😂|🤣|😄|😅|:joy:|\blol\b|haha|jk\b|:skull:|💀|🐐|jaja|mdr|ptdr"),
    "thanks": _pattern(_words("thanks | thank you | thx | ty | cheers | danke | merci | gracias | bedankt | dank")),
    "when": _pattern(
        _words(
            "today | tomorrow | tonight | monday | tuesday | wednesday | thursday | friday | next week | this week | "
            "this (?:afternoon|morning|evening|sprint|month) | after lunch | by (?:the )?(?:end|eod|noon|\\d) | eod | "
            "later | asap | standup | in a (?:bit|min|sec) | 5 min | heute | morgen | nachher | später | montag | "
            "dienstag | mittwoch | donnerstag | freitag | vandaag | straks | maandag | dinsdag | woensdag | "
            "donderdag | "
            "vrijdag | aujourd['’]hui | demain | ce soir | cet après-midi | lundi | mardi | mercredi | jeudi | "
            "vendredi | "
            "hoy | mañana | luego | esta (?:tarde|noche) | lunes | martes | miércoles | jueves | viernes"
        )
    ),
    "who": _pattern(
        _words(
            "who(?:['’]s)? | anyone | someone | somebody | wer | jemand | wie (?:doet|pakt|kan) | iemand | qui | "
            "quelqu['’]un | quién | alguien"
        )
    ),
    "fault": _pattern(
        _words(
            "broken | wrong | missing | fail\\w* | error | bug | typo | crash\\w* | 404 | 50\\d | empty | blank | "
            "expired? | outdated | still (?:says|shows) | doesn['’]t | does not | isn['’]t | can['’]t | cannot | "
            "kaputt | "
            "falsch | fehlt | kapot | fout | stuk | cassé | faux | manque | roto | mal | falla"
        )
    ),
}

_EMOJI = r"[\U0001f300-\U0001faff\u2600-\u27bf]"
_SIGNS = re.compile(rf"{_EMOJI}|:[+\w-]+:")
_TOKEN = re.compile(rf"{PERSON}|{ATOM}|[^\W\d_]+(?:['’][^\W\d_]+)*|\d+|[?!:]|→|{_EMOJI}")


def cues_of(text: str) -> frozenset[str]:
    """Name the cues of a masked text."""
    return _cues_of(text.lower())


@lru_cache(maxsize=4096)
def _cues_of(text: str) -> frozenset[str]:
    return frozenset(name for name, pattern in CUES.items() if pattern.search(text))


def signs_in(text: str) -> str:
    """Give the emoji of a text, which sentences leave out."""
    return " ".join(_SIGNS.findall(text))


def words_of(text: str) -> tuple[str, ...]:
    """Give the words of a masked text: people, code and numbers are one word each, whichever they are."""
    return tuple(map(_word, _TOKEN.findall(text)))


def counted(name: str, words: tuple[str, ...], *, pairs: bool = False, weight: float = 1.0) -> dict[str, float]:
    """Count words, their beginnings, and pairs of them, as features under a name."""
    words = words[:MOST_WORDS]
    found = {f"{name}:{word}": weight for word in words}
    found |= {f"{name}~{word[:5]}": 0.7 * weight for word in words if len(word) > 5}
    if pairs:
        found |= {f"{name}:{one}_{other}": weight for one, other in pairwise(words)}
    return found


def _word(token: str) -> str:
    if ord(token[0]) >= PERSON_START:
        return "<person>"
    if ATOM_START <= ord(token[0]) <= ATOM_END:
        return "<code>"
    return "0" if token[0].isdigit() else token.casefold().replace("’", "'")
