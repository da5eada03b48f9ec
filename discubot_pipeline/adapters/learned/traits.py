"""What the learned reader counts in a turn, in a whole thread and in a clause: words and cues as named features."""

from discubot_pipeline.adapters.learned.cues import counted, words_of
from discubot_pipeline.adapters.learned.talk import Clause, Talk, Turn

Features = dict[str, float]
NEAR = 0.7
FAR = 0.5


def of_turn(talk: Talk, turn: Turn) -> Features:
    """Describe a turn: whether it is part of work, takes work, or only answers is learned from this."""
    words = turn.words
    found = counted("turn", words, pairs=True) | {f"cue:{cue}": 1.0 for cue in turn.cues}
    found |= {f"turn{place}:{word}": 1.0 for place, word in enumerate(words[:3])}
    found |= {f"length:{min(5, len(words) // 5)}": 1.0}
    if len(words) <= 4:
        found[f"only:{' '.join(words)}"] = 1.0
    before, after = talk.turns[: turn.place][-1:], talk.turns[turn.place + 1 :][:1]
    for each in before:
        found |= {f"before-cue:{cue}": NEAR for cue in each.last_cues} | counted("before", each.words[-12:], weight=FAR)
        found["same author" if each.author == turn.author else "other author"] = 1.0
    for each in after:
        found |= {f"after-cue:{cue}": NEAR for cue in each.first_cues} | counted("after", each.words[:10], weight=FAR)
    return found | {name: 1.0 for name, there in (("opens", before), ("ends", after)) if not there}


def of_talk(talk: Talk) -> Features:
    """Describe a thread: whether it holds work at all is learned from this."""
    found: Features = {f"turns:{min(8, len(talk.turns))}": 1.0}
    for turn in talk.turns:
        found |= dict.fromkeys(counted("turn", turn.words, pairs=True), 1.0)
        found |= {f"cue:{cue}": 1.0 for cue in turn.cues}
    return found


def of_clause(talk: Talk, clause: Clause) -> Features:
    """Describe the words of a clause and those around it."""
    sentence, words = clause.sentence, clause.words
    found = counted("body", words, pairs=True) | {f"body{place}:{word}": 1.0 for place, word in enumerate(words[:2])}
    found |= {f"end:{word}": 1.0 for word in words[-1:]}
    found |= counted("left", words_of(sentence.text[: clause.start])[-6:])
    found |= counted("right", words_of(sentence.text[clause.end :])[:6])
    opening = words_of(clause.text)
    found |= {f"open{place}:{word}": 1.0 for place, word in enumerate(opening[:3])}
    found |= {f"opens:{' '.join(opening[:size])}": 1.0 for size in (2, 3) if len(opening) >= size}
    place = clause.turn.sentences.index(sentence)
    for each in clause.turn.sentences[place + 1 :][:1]:
        found |= counted("next", words_of(each.text)[:10], weight=FAR)
    for each in clause.turn.sentences[:place][-1:]:
        found |= counted("last", words_of(each.text)[-10:], weight=FAR)
    for turn in talk.others_after(clause.turn)[:1]:
        found |= counted("answer", turn.words[:12], pairs=True, weight=NEAR)
    before = talk.other_before(clause.turn)
    return found | (counted("before", before.words[-12:], weight=FAR) if before else {})
