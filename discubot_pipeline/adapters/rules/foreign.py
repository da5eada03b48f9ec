"""The basic requests of German, Dutch, French and Spanish: polite questions, "please", "we must"."""

import re

from discubot_pipeline.adapters.rules.lexicon import lexicon

_PLEASE = (
    r"bitte|alsjeblieft|alstublieft|aub|svp|stp|s'il te plaît|s'il vous plaît|s’il te plaît|s’il vous plaît|"
    r"por favor"
)
_SMALL = rf"(?:(?:{_PLEASE}|auch|noch|mal|bis|even|ook|nog|aussi|encore|también),? )*"

REQUESTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:kannst|könntest|würdest|wirst) du,? {_SMALL}(?P<body>.+)",
        rf"(?:können|könnten|würden) sie,? {_SMALL}(?P<body>.+)",
        rf"(?:könnt|könntet) ihr,? {_SMALL}(?P<body>.+)",
        rf"(?:kann|könnte) (?:jemand|wer|einer),? {_SMALL}(?P<body>.+)",
        rf"wir müssen,? {_SMALL}(?P<body>.+)",
        rf"(?:kun|kan|zou|wil) (?:je|jij),? {_SMALL}(?P<body>.+)",
        rf"(?:kunt|zou|wilt) u,? {_SMALL}(?P<body>.+)",
        rf"(?:kunnen|willen|zouden) jullie,? {_SMALL}(?P<body>.+)",
        rf"(?:kan|kun|zou) iemand,? {_SMALL}(?P<body>.+)",
        rf"we moeten,? {_SMALL}(?P<body>.+)",
        rf"(?:peux|pourrais)-tu,? {_SMALL}(?P<body>.+)",
        rf"(?:pouvez|pourriez)-vous,? {_SMALL}(?P<body>.+)",
        rf"tu (?:peux|pourrais),? {_SMALL}(?P<body>.+)",
        rf"vous (?:pouvez|pourriez),? {_SMALL}(?P<body>.+)",
        rf"quelqu[’']un (?:peut|pourrait)(?:-il)?,? {_SMALL}(?P<body>.+)",
        r"merci (?:de bien vouloir|de) (?P<body>.+)",
        rf"(?:il faut|on doit|nous devons),? {_SMALL}(?P<body>.+)",
        rf"¿?(?:puedes|podrías|puede usted|podría usted|pueden|podéis|podríais|podrían),? {_SMALL}(?P<body>.+)",
        rf"¿?(?:alguien puede|alguien podría),? {_SMALL}(?P<body>.+)",
        rf"(?:tenemos que|hay que|necesitamos),? {_SMALL}(?P<body>.+)",
        rf"(?:{_PLEASE}),? {_SMALL}(?P<body>.+)",
    )
)

NOT_WORK = lexicon(
    """
    aider antworten ayudar ayudarme decir decirme denken dire erklären explain explicar explicarme expliquer
    glauben helfen helpen kennen m'aider m'expliquer m'dire me mij mir montrer mostrar mostrarme sagen sag
    saber savoir schauen sehen sehn siehst tell uitleggen vertellen verstehen voir ver warten wachten weten
    wissen zeggen zeigen zien nicht niet pas ne no nichts niets kein keine geen nunca jamais nie gern
    """
)
FEWEST_WORDS = 2
_WORD = re.compile(r"[\w'’-]+")
_TRAILING = re.compile(rf",? (?:{_PLEASE})$", re.IGNORECASE)


def body_of(text: str) -> str | None:
    """Give the work that a polite sentence asks for; None where it asks for words only, or for none."""
    for pattern in REQUESTS:
        match = pattern.match(text)
        if match:
            body = _TRAILING.sub("", match["body"].rstrip(" ?!."))
            words = _WORD.findall(body.casefold())
            return body if len(words) >= FEWEST_WORDS and NOT_WORK.isdisjoint(words) else None
    return None
