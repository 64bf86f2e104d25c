"""Which pictures to annotate next: those about which a prediction is least certain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.errors import InputError
from pointanno.formats.json_file import read_json

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from pointanno.timing.tables import Row

SHOWN = 10
"""Names in the sentence; the table has all."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A picture and how certain a prediction is about it.

    Attributes
    ----------
    file_name : of the picture
    doubt : mean over its objects of the entropy of their scores in bits, from 0 (certain) to 1 (score one half)
    objects : predicted ones
    """

    file_name: str
    doubt: float
    objects: int


def least_certain(prediction: Path, pictures: Collection[str]) -> list[Doubt]:
    """Pictures of a prediction, the least certain first; those without a predicted object are not among them.

    Parameters
    ----------
    prediction : as ``pointanno predict`` writes it
    pictures : names of those that are not annotated

    Raises
    ------
    InputError
        If the file holds no scores with names of pictures.
    """
    scores: dict[str, list[float]] = {}
    for name, score in _scores(read_json(prediction)):
        if name in pictures:
            scores.setdefault(name, []).append(score)
    if not scores:
        raise InputError(
            f"{prediction}: --predictions must hold scores of pictures of the project that are not annotated; make it "
            "by `pointanno predict RUN --images FOLDER -o FILE`"
        )
    found = [Doubt(name, float(np.mean(_entropy(np.array(own)))), len(own)) for name, own in scores.items()]
    return sorted(found, key=lambda one: (-one.doubt, one.file_name))


def _scores(content: Any) -> list[tuple[str, float]]:
    """Names of pictures with the scores of their objects, of a list of results or a panoptic prediction."""
    if isinstance(content, list):
        entries = [(one.get("file_name"), one.get("score")) for one in content if isinstance(one, dict)]
    else:
        names = {one.get("id"): one.get("file_name") for one in content.get("images", ())}
        entries = [
            (names.get(one.get("image_id")), segment.get("score"))
            for one in content.get("annotations", ())
            for segment in one.get("segments_info", ())
        ]
    return [
        (name, float(score)) for name, score in entries if isinstance(name, str) and isinstance(score, (int, float))
    ]


def _entropy(scores: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Bits."""
    p = np.clip(scores, 1e-6, 1 - 1e-6)
    return np.asarray(-(p * np.log2(p) + (1 - p) * np.log2(1 - p)))


def doubt_rows(doubts: list[Doubt]) -> list[Row]:
    """The pictures as a table."""
    return [
        {"place": place, "picture": one.file_name, "doubt": one.doubt, "objects": one.objects}
        for place, one in enumerate(doubts, 1)
    ]


def in_words(doubts: list[Doubt], count: int, title: str, hours: float) -> str:
    """Which pictures the next hours are for."""
    chosen = doubts[: max(1, count)]
    names = ", ".join(one.file_name for one in chosen[:SHOWN])
    more = len(chosen) - SHOWN
    return (
        f"{hours:.3g} h of {title} pay for about {count} picture{'' if count == 1 else 's'}; the least certain of "
        f"those without annotations: {names}{f' and {more} more' if more > 0 else ''}."
    )
