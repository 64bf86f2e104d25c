"""What a training found doubtful in its own pseudo-labels, for a person to look at."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from pointanno.errors import InputError
from pointanno.runs.atomic import read_json

if TYPE_CHECKING:
    from pathlib import Path

REVIEW = "review.json"
"""Name of the file in the folder of a work stage."""


@dataclass(frozen=True, slots=True)
class DoubtfulMask:
    """An object whose pseudo-label contradicts its answers: the network is wrong there, or an answer is."""

    image_id: int
    file_name: str
    annotation_id: int
    category_id: int
    contradicted: int
    """Answers that the mask contradicts."""
    answered: int
    """Answers inside the box."""
    share: float
    """Of the answers that are contradicted; 1 for an empty mask."""
    is_empty: bool
    """The network saw no object in the box."""


@dataclass(frozen=True, slots=True)
class Review:
    """Pseudo-labels of a run against the answers."""

    labelled: int
    """Objects that got a mask."""
    answered: int
    contradicted: int
    max_disagreement: float
    """Masks that contradict a larger share of their answers are doubtful."""
    doubtful: tuple[DoubtfulMask, ...]
    """The worst first."""


def read_review(path: Path) -> Review:
    """Review of a work stage.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    content = read_json(path)
    try:
        if content is None:
            raise ValueError("it is no JSON object")
        names = [field.name for field in fields(DoubtfulMask)]
        return Review(
            labelled=int(content["labelled"]),
            answered=int(content["answered"]),
            contradicted=int(content["contradicted"]),
            max_disagreement=float(content["max_disagreement"]),
            doubtful=tuple(DoubtfulMask(**{name: item[name] for name in names}) for item in content["doubtful"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: the review could not be read ({error}); resume or repeat the run") from error
