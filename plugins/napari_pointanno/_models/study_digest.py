"""What the dock *Study report* shows, as it comes from the process that computes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from napari_pointanno._models.tables import Table


@dataclass(frozen=True, slots=True)
class ReportChoice:
    """What a person may choose about a report; `pointanno study` knows the same.

    Attributes
    ----------
    idle_s : seconds without input from which on it is idle
    warm_up : actions at the beginning of each session and condition that are left out
    answers : "first" or "final"
    trimmed : compare conditions without idle time
    """

    idle_s: float = 10.0
    warm_up: int = 10
    answers: str = "first"
    trimmed: bool = False

    def arguments(self) -> list[str]:
        """For the command line."""
        words = ["--idle", f"{self.idle_s:g}", "--warm-up", str(self.warm_up), "--answers", self.answers]
        return [*words, "--trimmed"] if self.trimmed else words


@dataclass(frozen=True, slots=True)
class Answers:
    """Answer times of one kind: (seconds, share) of the cumulated curve, and how many fall into each bin."""

    n: int
    seconds: tuple[float, ...]
    share: tuple[float, ...]
    count: tuple[int, ...]
    median_s: float


@dataclass(frozen=True, slots=True)
class Learner:
    """One person's rolling median, by the number of the item."""

    n: int
    number: tuple[int, ...]
    seconds: tuple[float, ...]
    warm_up: int
    begins: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a part of a session went into; minutes since its start."""

    session: int
    start: float
    stop: float
    state: str


@dataclass(frozen=True, slots=True)
class StudyDigest:
    """Words and curves; empty by default. `edges_s` are those of the bins of all answers."""

    timed: bool = False
    claim_ms: float = 0.0
    numbers: tuple[tuple[str, str], ...] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)
    sentences: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    edges_s: tuple[float, ...] = ()
    answers: Mapping[str, Answers] = field(default_factory=dict)
    learned: str = "item"
    learners: Mapping[str, Learner] = field(default_factory=dict)
    sessions: tuple[str, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    sessions_left_out: int = 0


TABLES = ("times", "corrections", "flags")

SENTENCES = ("conditions", "agreement", "left")


def parse_digest(text: bytes) -> StudyDigest:
    """What `python -m pointanno.timing.digest` has printed."""
    data: dict[str, Any] = orjson.loads(text)
    groups, people, strip = data["answers"]["groups"], data["learning"]["people"], data["sessions"]
    return StudyDigest(
        timed=data["timed"],
        claim_ms=data["claim_ms"],
        numbers=tuple((value, what) for value, what in data["numbers"]),
        tables={name: _table(data[name]) for name in TABLES},
        sentences={name: tuple(data[name]) for name in SENTENCES},
        edges_s=tuple(data["answers"]["edges_s"]),
        answers={
            name: Answers(
                one["n"], tuple(one["seconds"]), tuple(one["share"]), tuple(one["count"]), one["median_s"][0]
            )
            for name, one in groups.items()
        },
        learned=data["learning"]["what"],
        learners={
            name: Learner(
                one["n"], tuple(one["number"]), tuple(one["seconds"]), one["warm_up"], tuple(one["begins"])
            )
            for name, one in people.items()
        },
        sessions=tuple(strip["names"]),
        stretches=tuple(Stretch(*one) for one in strip["spans"]),
        sessions_left_out=strip["left_out"],
    )  # fmt: skip


def _table(data: Mapping[str, Any]) -> Table:
    return Table(tuple(data["head"]), tuple(tuple(row) for row in data["rows"]))
