"""The English frames of work: what stands around it when people ask for it, promise it or write it down ("can you …",
"we need to …", "I'll …"). Data for `requests`.
"""

import re
from enum import StrEnum

from discubot_pipeline.adapters.rules.sentences import PERSON


class Kind(StrEnum):
    """How a piece of work came up."""

    MARKER = "marker"
    BUG = "bug"
    FEATURE = "feature"
    REQUEST = "request"
    PLEASE = "please"
    NEED = "need"
    SHOULD = "should"
    WANT = "want"
    LETS = "lets"
    NAMED = "named"
    PROMISE = "promise"
    OFFER = "offer"
    ORDER = "order"
    FOREIGN = "foreign"


_YOU = rf"(?:(?P<shared>we)|you|u|ya|y'all|someone|somebody|anyone|anybody|one of you|either of you|(?P<who>{PERSON}))"
_ADVERBS = (
    r"(?:(?:please|pls|plz|kindly|also|just|quickly|maybe|perhaps|possibly|then|still|really|now|definitely|"
    r"probably|first|instead|at least|either|all|both|go ahead and|go and|try to|try and|be sure to|remember to|"
    r"guys|asap|eventually|finally|always|together|urgently|soon)[ ,]+)*"
)
_BODY = rf"{_ADVERBS}(?P<body>\S.*)"
_WILL = (
    r"(?:'ll|’ll| will| shall|'m going to|’m going to| am going to|'m gonna| are going to|'re going to|"
    r"’re going to)"
)
_NEED = r"(?:(?:need|needs|have|has|ought|'ve got|’ve got|'ll need|'ll have|will need|will have) to|must)"
_OFTEN = r"(?:(?:still|also|really|just|definitely|all|probably|then|now|urgently|maybe) )*"
_LABEL = (
    r"to-?do'?s?|to do|action(?: item| point)?s?|next steps?|follow[- ]?ups?|tasks?|tickets?|reminder|must do|"
    r"aufgaben?|zu erledigen|actiepunt(?:en)?|taak|te doen|tâches?|à faire|tareas?|pendientes?|por hacer"
)

FRAMES: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (Kind.MARKER, rf"(?:{_LABEL})(?: ?#?\d{{1,3}})?(?: ?\((?P<who>{PERSON})\))? ?(?::| [–—-] ) ?{_BODY}"),
        (
            Kind.MARKER,
            rf"(?P<self>(?:reminder|note|todo) (?:to|for) (?:self|myself|me)) ?[:,–-]? ?{_BODY}",
        ),
        (
            Kind.MARKER,
            r"(?P<body>(?!(?:the |my )?(?:fault|mistake|bad|pleasure|honou?r)\b|(?:it|that|this|"
            r"one)\b)[^,:;.?!]{3,60}?),? "
            r"(?P<self>i['’]m on (?:it|that)|is (?:on )?(?:me|mine))\b.*",
        ),
        (Kind.MARKER, r"(?-i:TODO|FIXME) (?P<body>\S.*)"),
        (Kind.BUG, r"(?:bug|defect|regression|bug report) ?(?::| [–—-] ) ?(?P<body>\S.*)"),
        (Kind.FEATURE, r"(?:feature(?: request)?|enhancement) ?(?::| [–—-] ) ?(?P<body>\S.*)"),
        (
            Kind.REQUEST,
            rf"(?:would|could|will|are|can) you (?:be )?(?:able|willing|so kind as|kind enough) to {_BODY}",
        ),
        (Kind.REQUEST, rf"(?:(?:would|do) you )?mind (?!if)(?=[a-z]+ing\b){_BODY}"),
        (Kind.REQUEST, rf"(?:can|could|would|will) {_YOU} {_BODY}"),
        (
            Kind.REQUEST,
            rf"(?:any chance|is there any chance|any way) (?:that )?(?:you|someone) (?:can|could) {_BODY}",
        ),
        (Kind.REQUEST, rf"(?:could|can|may) i ask you to {_BODY}"),
        (
            Kind.REQUEST,
            rf"(?P<shared>who) (?:can|could|wants to|will|would like to|has (?:the )?time to|is able to) {_BODY}",
        ),
        (Kind.PROMISE, r"(?P<self>i)(?:['’]ve| have)? promised (?:[A-Z]\w+ )?(?P<body>(?:an?|the) .+)"),
        (Kind.WANT, r"(?:this |still |also )*needs (?P<body>(?:an?|some|more|another) \S.*)"),
        (
            Kind.REQUEST,
            r"i(?:'d|’d| would) (?:also |really )?like (?:to (?:have|see|get) )(?P<body>(?:a|an|the|some|one|"
            r"two) \S.*)",
        ),
        (Kind.NAMED, rf"(?:please )?(?:remind|get) (?P<who>{PERSON}) to {_BODY}"),
        (
            Kind.REQUEST,
            rf"i(?:'d|’d| would)? (?:need|want|like|love) (?:you|someone|(?P<who>{PERSON})) to {_BODY}",
        ),
        (
            Kind.REQUEST,
            r"(?:it )?(?:would|'d|’d) be (?:\w+ )?(?:great|good|nice|helpful|awesome|lovely) if "
            rf"(?:you|someone|somebody|(?P<who>{PERSON})) (?:can |could |would )?{_BODY}",
        ),
        (
            Kind.PLEASE,
            rf"(?:(?:someone|somebody|anyone|everyone) )?(?:please|pls|plz|kindly)(?: (?:everyone|everybody|all|"
            rf"team|folks))? {_BODY}",
        ),
        (
            Kind.PLEASE,
            r"(?:please )?(?:don['’]t|do not) forget (?:about |the |your )*(?P<body>(?!to\b|that\b|it\b|"
            r"about\b)[^,:;?]{4,60})",
        ),
        (
            Kind.PLEASE,
            rf"(?:please )?(?:do not forget|don't forget|don’t forget|reminder|remember) to {_BODY}",
        ),
        (Kind.NEED, rf"(?:we|someone|somebody|one of us) ?{_OFTEN}{_NEED} {_BODY}"),
        (Kind.WANT, rf"we(?:'d|’d| would)? {_OFTEN}need (?P<body>(?:a|an|some|more|another|new) \S.*)"),
        (
            Kind.WANT,
            rf"i (?:still |also )?need (?P<body>(?:an?|one|two|three|the|your|all|some|\d+) .+? (?:from (?:you|"
            rf"each|every|all|{PERSON})|"
            r"by|until|before) .*)",
        ),
        (Kind.SHOULD, rf"(?:would|do) you (?:like|want|care) to {_BODY}"),
        (Kind.NEED, rf"we(?:'ve|’ve| have)? (?:agreed|decided) to {_BODY}"),
        (Kind.NEED, rf"(?:the )?next step(?:s)? (?:is|are|would be) to {_BODY}"),
        (Kind.SHOULD, rf"(?:we|someone|somebody) {_OFTEN}(?:should|could|may want to) {_BODY}"),
        (Kind.LETS, rf"(?:let's|let’s|lets|let us) (?!not\b){_BODY}"),
        (
            Kind.NAMED,
            rf"(?P<who>{PERSON}) ?(?:{_WILL}|(?-i:to)|{_NEED}|should|is going to|can|could) {_BODY}",
        ),
        (Kind.PROMISE, rf"(?P<self>i)(?:ll|{_WILL}) {_BODY}"),
        (Kind.PROMISE, rf"(?P<self>let me|lemme) {_BODY}"),
        (
            Kind.PROMISE,
            rf"(?P<self>i)(?:['’]ve got| have|['’]ll have|['’]ll find| can find) (?:some |the |"
            rf"a bit of )?time .{{0,30}}?\bto {_BODY}",
        ),
        (
            Kind.PROMISE,
            r"(?P<self>(?=[a-z]))(?P<body>[a-z]+ing (?:the|an?|\d+|it|them|that|this|those|these|our|new|some|all|"
            r"both) .+)",
        ),
        (Kind.PROMISE, rf"(?P<self>will|gonna) (?!you\b|it\b|be\b|that\b|this\b|the\b|there\b){_BODY}"),
        (Kind.PROMISE, rf"we{_WILL} {_BODY}"),
        (Kind.OFFER, rf"(?P<self>i) (?:can|could|need to|have to|should|must|want to|wanted to) {_BODY}"),
        (Kind.OFFER, rf"(?P<self>i)(?:'d|’d| would) (?:like|love|be happy) to {_BODY}"),
        (Kind.OFFER, rf"(?P<self>i)(?:'m|’m| am) (?:happy|glad|about) to {_BODY}"),
        (Kind.OFFER, rf"(?:shall|should) we {_BODY}"),
        (Kind.OFFER, rf"(?:anyone|anybody|any objections?) (?:against|to) {_BODY}"),
        (Kind.OFFER, rf"(?P<self>(?:want me|shall i|should i|happy)) (?:to )?{_BODY}"),
        (Kind.OFFER, r"(?P<self>i)(?:'m|’m| am) (?P<body>[a-z]+ing .+)"),
        (
            Kind.ORDER,
            rf"(?P<subject>[^,;:?!]{{2,60}}?) {_OFTEN}(?:needs?|has|have) to be "
            r"(?P<state>(?!an?\b|the\b|in\b|able\b|done\b|ok\b|fine\b|it\b|that\b|called\b|there\b|possible\b)"
            r"(?:(?!\w+ed\b)[a-z]+)\b.*)",
        ),
        (
            Kind.SHOULD,
            rf"(?P<thing>[^,;:?!]{{2,80}}?) {_OFTEN}"
            r"needs?(?: to (?:be|get))? (?P<done>[a-z]+(?:ed|ing|en|ilt|ade|one|ent))\b(?P<rest>.*)",
        ),
    )
)
