"""Turns a text of words into a set of words: the rules keep their word lists as readable text."""


def lexicon(text: str) -> frozenset[str]:
    """Give the words of a text."""
    return frozenset(text.split())
