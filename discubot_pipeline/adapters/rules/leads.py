"""Takes off what stands before an ask (greetings, fillers, names called out) and the owner that may stand behind it."""

import re

from discubot_pipeline.adapters.rules.sentences import PERSON, Sentence
from discubot_pipeline.adapters.rules.verbs import WORK

POLITE_IF = re.compile(
    r"(?:when(?:ever)?|if|once) (?:(?:you|someone|anyone|somebody|anybody) (?!want|need|like|use|are\b)|it's|"
    r"possible)[^,;:?!]{0,70}?(?:,|(?= please\b))[ ,]*",
    re.IGNORECASE,
)
_LEADS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?:hi|hiya|hey|hello|dear|yo|hallo|hoi|bonjour|salut|hola|moin|morning|evening|good (?:morning|afternoon|"
        r"evening)|"
        r"guten tag)\b"
        rf"(?: (?:all|team|everyone|everybody|folks|guys|there|again|both|zusammen|iedereen|@?here|@?channel|"
        rf"{PERSON}))*"
        r"[ ,.!:–-]*",
        r"(?:ok|okay|so|and|also|then|but|well|oh|ah|yes|yeah|yep|yup|no|sure|great|perfect|cool|nice|thanks|"
        r"thank you|thx|cheers|right|alright|fyi|btw|by the way|actually|anyway|plus|finally|lastly|first|"
        r"firstly|secondly|second|third|next|additionally|besides|sorry|apologies|hmm|hm|um|uh|ps|p\.s\.|tl;?dr|"
        r"ugh|oops|haha|lol|(?:good|nice|great) (?:idea|call|catch|one|eye|find|spot)|nit|minor|omg|oof|ouch|yikes|"
        r"makes sense|und|et|gut|na gut|also|dann|klar|stimmt|oups|bueno|vale|goed|super|genial|ja|"
        r"nb|one more thing|another thing|in that case|quick (?:question|one|ask|reminder|favou?r)|i think|"
        r"i guess|i believe|imo|for now|at least|simply|just|if possible|if you can|if so|agreed|good point|"
        r"fair enough|"
        r"it (?:seems|looks) like|seems like|looks like|@?here|@?channel|@?everyone|all|team|guys|"
        r"folks)\b(?! of\b|:? \w+ing\b)[ ,.!:–-]*",
        r"(?:for|before|after|in|on|at|by|until|during|regarding|re|as for|since|because|now that|as)\b(?! (?:it|"
        r"this|that)\b)[^,;:?!]{1,70}(?:, |(?= (?:we (?:still |also |really |would )?(?:need|have|must|should)|let's|"
        r"please|(?:can|could) you)\b))",
    )
)
_ME = re.compile(r"(?:me|myself) ?: ", re.IGNORECASE)
_ADDRESSED = re.compile(rf"(?P<name>{PERSON}) (?P<verb>[a-z-]+)\b", re.IGNORECASE)
_VOCATIVE = re.compile(
    rf"(?P<names>{PERSON}(?:(?: ?,| ?/| and| &)? ?{PERSON})*)"
    r"(?:[ ]?[,:–—-]+[ ]*| +(?=(?:please|pls|plz|kindly|bitte|svp|stp|alsjeblieft|por favor|tu peux|mind|when|"
    r"whenever|once|(?:can|could|would|will|do) you)\b|(?:let's|let’s|i'll|"
    r"we) ))",
    re.IGNORECASE,
)
_TRAILING_OWNER = re.compile(
    rf"(?: ?(?:\(|[–—-]|→|->|=>|:) ?@?(?P<who>{PERSON})(?:,[^()]{{0,30}})? ?\)?|(?:assign(?:ed)? (?:this |it )?to|"
    rf"owner:?|"
    rf"assignee:?) (?P<to>{PERSON})|, ?(?P<last>{PERSON})|(?:(?<= it)|(?<= up)) (?P<bare>{PERSON}))[ .!?]*$",
    re.IGNORECASE,
)


def strip_leads(sentence: Sentence, text: str) -> tuple[str, tuple[str | None, ...]]:
    """Take greetings, fillers and names called out off the start; give the rest and the names."""
    called: list[str | None] = []
    for _ in range(6):
        before = text
        for lead in (*_LEADS, POLITE_IF):
            text = lead.sub("", text, count=1) if lead.match(text) else text
        mine = _ME.match(text)
        if mine:
            called.append(sentence.writer)
            text = text[mine.end() :]
        vocative = _VOCATIVE.match(text)
        if vocative:
            called.extend(sentence.person(mark) for mark in re.findall(PERSON, vocative["names"]))
            text = text[vocative.end() :]
        addressed = _ADDRESSED.match(text)
        if addressed and sentence.show(addressed["name"]).startswith("@") and addressed["verb"].casefold() in WORK:
            called.append(sentence.person(addressed["name"]))
            text = text[addressed.start("verb") :]
        if text == before:
            break
    return text.strip(), tuple(called)


def owner_at_end(sentence: Sentence, text: str) -> tuple[str, str | None]:
    """Split "… – Ann" or "… (Ann)" into the work and its owner."""
    match = _TRAILING_OWNER.search(text)
    if not match:
        return text, None
    return text[: match.start()].rstrip(), sentence.person(
        match["who"] or match["to"] or match["last"] or match["bare"]
    )
