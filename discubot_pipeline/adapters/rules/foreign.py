"""The ways of German, Dutch, French and Spanish to ask for work, to promise it, to take it and to call it off."""

import re

from discubot_pipeline.adapters.rules.lexicon import lexicon

_PLEASE = (
    r"bitte|alsjeblieft|alstublieft|aub|svp|stp|s'il te plaît|s'il vous plaît|s’il te plaît|s’il vous plaît|"
    r"por favor|graag"
)
_SMALL = rf"(?:(?:{_PLEASE}|auch|noch|mal|bis|even|ook|nog|aussi|encore|también|dann|gleich),? )*"

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
        rf"(?:stuur|regel|mail|bel|maak|schrijf|doe) (?:je|jij),? {_SMALL}(?P<body>.+\?)",
        r"wir bitten (?:sie|euch|dich),? (?P<body>.+)",
        r"wer (?:kann|könnte|möchte) (?P<body>.+)",
        r"wie (?:kan|wil) (?P<body>.+)",
        r"qui (?:peut|pourrait|veut) (?P<body>.+)",
        r"¿?quién (?:puede|podría|quiere) (?P<body>.+)",
        r"denkst du (?:noch |bitte |auch )*an (?P<body>.+)",
        r"denk (?:je|jij) (?:nog |ook )*aan (?P<body>.+)",
        r"tu penses à (?P<body>.+)",
        r"¿?te acuerdas de (?P<body>.+)",
        rf"(?:peux|pourrais)-tu,? {_SMALL}(?P<body>.+)",
        rf"(?:pouvez|pourriez)-vous,? {_SMALL}(?P<body>.+)",
        rf"tu (?:peux|pourrais),? {_SMALL}(?P<body>.+)",
        rf"vous (?:pouvez|pourriez),? {_SMALL}(?P<body>.+)",
        rf"quelqu[’']un (?:peut|pourrait)(?:-il)?,? {_SMALL}(?P<body>.+)",
        r"merci (?:de bien vouloir|de) (?:nous |me )?(?P<body>.+)",
        rf"(?:il (?:nous )?(?:faut|faudrait)|on doit|nous devons),? {_SMALL}(?P<body>.+)",
        rf"¿?(?:puedes|podrías|puede usted|podría usted|pueden|podéis|podríais|podrían),? {_SMALL}(?P<body>.+)",
        rf"¿?(?:alguien puede|alguien podría),? {_SMALL}(?P<body>.+)",
        rf"(?:tenemos que|hay que|habría que|necesitamos),? {_SMALL}(?P<body>.+)",
        r"(?:.{0,60} )?(?:brauchen wir|wir brauchen) (?:noch |auch |dringend )?(?P<body>(?:de[nr]|die|das|eine?n?|"
        r"neue|\d).+)",
        r"(?P<body>.{3,60} (?:muss|müssen|sollte|sollten) .{0,60}[\wäöüß]+t werden|.{3,60} (?:moet|moeten) .{0,60}"
        r"\w+ worden|.{3,60} (?:doit|doivent) être \w+.{0,60}|.{3,60} (?:debe|deben|tiene que|tienen que) \w+.{0,60})",
        rf"(?:{_PLEASE}),? {_SMALL}(?P<body>.+)",
        rf"(?P<body>[^,]{{3,80}} (?:{_PLEASE}) [^,]{{3,80}})",
    )
)

_GERMAN = (
    r"(?:schreibe?|bestelle?|schicke?|sende|baue?|erstelle?|ändere?|korrigiere?|prüfe?|teste?|aktualisiere?|frage?|"
    r"organisiere?|kläre?|bereite?|lösche?|verschiebe?|installiere?|plane?|kontaktiere?|informiere?|übersetze?|melde|"
    r"rufe?|buche?|besorge?|kaufe?|setze?)"
)
_GERMAN_OBJECT = r"(?:de[nrm]|die|das|eine?[nrm]?|neue|alle|uns|euch|dir)"

PROMISES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?:dann )?(?:ich werde|werde ich) (?P<body>.+)",
        rf"(?:dann )?ich (?P<body>{_GERMAN} {_GERMAN_OBJECT} .+)",
        rf"(?:dann )?(?P<body>{_GERMAN} ich {_GERMAN_OBJECT} .+)",
        r"(?:dann )?ich (?P<body>(?!habe|bin|finde|sehe|glaube|denke|brauche|suche|verstehe|kenne|nutze|benutze|"
        r"hätte|möchte|"
        r"lese|hoffe|freue|mag|will|kann)[a-zäöü]+e (?:de[nm]|die|das|eine?n?|dir|euch|ihnen) .+)",
        r"je (?P<body>(?!suis|ai\b|vois|pense|crois|sais|veux|peux|trouve|cherche|comprends|connais|lis|utilise|"
        r"reste|dois)"
        r"[a-zéèê]+(?:e|s) (?:le |la |les |l['’]|une? |des ).+)",
        r"ik (?:zal|ga) (?P<body>.+)",
        r"(?:dan )?ik (?P<body>(?:schrijf|bestel|stuur|bouw|maak|controleer|test|bel|mail|vraag|regel|update|verwijder|"
        r"verplaats|plan|zet|koop|boek|vertaal) (?:de|het|een|alle) .+)",
        r"je vais (?P<body>.+)",
        r"(?:je |j['’])(?P<body>(?:envoie|appelle|prépare|écris|commande|contacte|corrige|mets|change|crée|ajoute|"
        r"supprime|vérifie|rédige|réserve|demande|traduis|achète) (?:le|la|les|l['’]|un|une|des|au|aux|à) ?.+)",
        r"(?:yo )?voy a (?P<body>.+)",
        r"(?:yo )?(?P<body>(?:aviso|envío|mando|preparo|escribo|llamo|reviso|corrijo|cambio|actualizo|pido|organizo|"
        r"compro|reservo|contacto|añado|borro|arreglo|traduzco) (?:al|a|el|la|los|las|un|una|otro|todos) .+)",
    )
)

TAKES = re.compile(
    r"(?:mach(?:e)? ich|erledige? ich|übernehm(?:e)? ich|kümmere? ich mich(?: drum| darum)?|"
    r"ich (?:kümmere? mich|übernehme?|mache?|erledige?|prüfe?|korrigiere?|behebe?|fixe?|repariere?|ändere?) "
    r"(?:das|es|drum|darum)|ich (?:schaue?|sehe?) (?:mir )?(?:das|es|mir)(?: mir| mal)*|schaue? ich mir an|"
    r"(?:doe|regel|fix|pak|maak) ik|ik (?:doe|regel|fix|pak|maak|los|zoek) (?:het|dit|dat)|ga ik doen|"
    r"ik kijk (?:er|ernaar)|je m['’]en (?:occupe|charge)|je peux (?:le|la|les) faire|je m['’]y mets|"
    r"je (?:le |la |les |l['’]|vous l['’]|te l['’])(?:fais|corrige|prépare|regarde|règle|répare|change|envoie)|"
    r"je (?:le |la |les |l['’])[a-zéèê]+(?:e|s)(?! pas)|"
    r"je (?:fais|corrige|regarde|règle|répare|change) (?:ça|cela)|(?:yo )?me (?:encargo|ocupo)|"
    r"ich [a-zäöü]+e (?:das|es|sie|ihn)|[a-zäöü]+e ich (?:heute|morgen|gleich|noch|sofort|nachher)|"
    r"ik [a-z]+ (?:het |dat )?(?:vanmiddag|vandaag|morgen|straks|meteen|direct|zo meteen)|"
    r"[a-z]+ ik (?:aan|op|uit|na|door|zo|vandaag|morgen|vanmiddag)|"
    r"(?:l[oa]s?) [a-zñ]+o (?:yo|ahora|hoy|mañana|esta|luego)|"
    r"(?:yo )?(?:ya )?lo (?:hago|reviso|miro|arreglo|corrijo|preparo|cambio|envío|mando))\b",
    re.IGNORECASE,
)
"""Taking on what was just said."""

CALLED_OFF = (
    r"vergiss (?:es|das)|hat sich erledigt|schon erledigt|ist erledigt|doch nicht|laat maar|is al (?:gebeurd|gedaan|"
    r"geregeld)|niet meer nodig|hoeft niet|laisse tomber|laissez tomber|c['’]est déjà fait|plus besoin|déjà réglé|"
    r"olvídalo|déjalo|ya no hace falta|ya está hecho|ya lo hi(?:zo|ce|cieron)|entonces nada"
)

FAULT = re.compile(
    r"(?P<fault>[^,;:?!]{3,60}? (?:funktionier(?:t|en)|geht|gehen|lädt|laden|klappt|läuft|erscheint) "
    r"(?:\w+ ){0,3}nicht\b.*|"
    r"[^,;:?!]{3,60}? (?:ist|sind) (?:\w+ )?(?:kaputt|defekt|falsch|leer|abgestürzt|doppelt|veraltet)\b.*|"
    r"[^,;:?!]{3,60}? (?:bricht|brechen|stürzt|stürzen) .{0,60}\bab\b.*|[^,;:?!]{3,60}? (?:fehlt|fehlen|hängt)\b.*|"
    r"[^,;:?!]{3,60}? (?:werkt|werken|laadt|opent) (?:\w+ ){0,2}niet\b.*|[^,;:?!]{3,60}? doet het niet\b.*|"
    r"[^,;:?!]{3,60}? (?:is|zijn|staat|staan) (?:\w+ )?(?:kapot|stuk|fout|leeg|verkeerd|dubbel|verouderd)\b.*|"
    r"[^,;:?!]{3,60}? ne (?:marche|marchent|fonctionne|fonctionnent|charge|s['’]affiche|s['’]ouvre)\w* (?:pas|"
    r"plus)\b.*|"
    r"[^,;:?!]{3,60}? (?:est|sont) (?:\w+ )?(?:cassée?s?|en panne|vides?|fauss?e?s?|périmée?s?|obsolètes?)\b.*|"
    r"(?:l[ea]s? |l['’]|el |los |het |de |das |der |die )[^,;:?!]{3,60}? (?:plante|expire|läuft .{0,20}\bab|verloopt|"
    r"caduca|falla)\b.*|"
    r"er zit(?:ten)? (?:een |nog )?(?:fout|bug).*|(?:il|nous) manque .*|es fehl(?:t|en) .*|faltan? (?:el|la|los|"
    r"las) .*|"
    r"[^,;:?!]{3,60}? no (?:funcionan?|cargan?|abren?|se (?:ve|abre|muestra))\b.*|"
    r"[^,;:?!]{3,60}? (?:está|están) (?:\w+ )?(?:rot[oa]s?|caíd[oa]s?|vací[oa]s?|mal|desactualizad[oa]s?)\b.*)",
    re.IGNORECASE,
)

NOT_WORK = lexicon(
    """
    aider antworten ayudar ayudarme decir decirme denken dire erklären explain explicar explicarme expliquer
    glauben helfen helpen kennen m'aider m'expliquer m'dire montrer mostrar mostrarme sagen sag
    saber savoir schauen sehen sehn siehst tell uitleggen vertellen verstehen voir ver warten wachten weten
    wissen zeggen zeigen zien nicht niet pas ne no nichts niets kein keine geen nunca jamais nie gern
    hilfe hulp aide ayuda
    """
)
FEWEST_WORDS = 2
_WORD = re.compile(r"[\w'’-]+")
_TRAILING = re.compile(rf",? (?:{_PLEASE})$", re.IGNORECASE)
_JOINT = re.compile(
    r" (?:und|en|et|y) (?:auch |ook |aussi |también )?(?=(?!(?:de[nrms]?|die|das|eine?[nrm]?|het|les?|la|los|las|une?|"
    r"sein|sua?)\b)[a-zäöüéèê]+ (?:de[nrm]?|die|das|eine?n?|het|les?|la|los|las|une?|el|alle|unsere?n?|\d) )"
)
"""Before a second order: a word in lower case with an article behind it."""


def body_of(text: str) -> str | None:
    """Give the work that a polite sentence asks for; None where it asks for words only, or for none."""
    return _matched(REQUESTS, text)


def promise_of(text: str) -> str | None:
    """Give the work that somebody says they will do; None in a question."""
    return None if text.rstrip().endswith("?") else _matched(PROMISES, text)


def fault_in(text: str) -> str | None:
    """Give the words of a report that something is broken."""
    match = None if text.rstrip().endswith("?") else FAULT.match(text)
    return match["fault"] if match else None


def orders_in(body: str) -> tuple[str, ...]:
    """Take joined orders apart."""
    return tuple(_JOINT.split(body))


def _matched(patterns: tuple[re.Pattern[str], ...], text: str) -> str | None:
    for pattern in patterns:
        match = pattern.match(text)
        if match:
            body = _TRAILING.sub("", match["body"].rstrip(" ?!."))
            words = _WORD.findall(body.casefold())
            return body if len(words) >= FEWEST_WORDS and NOT_WORK.isdisjoint(words) else None
    return None
