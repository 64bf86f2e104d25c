"""Finding a class by any part of its name."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """A text without capitals and accents: "Bäume" is found by "baume"."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def matches(text: str, name: str) -> bool:
    """Whether every word of `text` occurs in `name`; no word finds everything."""
    found = folded(name)
    return all(word in found for word in folded(text).split())


def best_match(text: str, names: Sequence[str]) -> int | None:
    """The name that is meant: the same, else one that begins so, else the first that contains all words.

    Returns
    -------
    int or None
        Its place among `names`.
    """
    wanted = " ".join(folded(text).split())
    found = [place for place, name in enumerate(names) if matches(text, name)]
    if not found:
        return None
    return min(found, key=lambda place: (folded(names[place]) != wanted, not folded(names[place]).startswith(wanted)))
