"""Kinds of supervision: what is annotated of each object, how it is simulated, and which system learns from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pointanno.errors import InputError
from pointanno.systems import available_systems, load_system

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointanno.simulation import Protocol
    from pointanno.systems import SystemDescriptor

MASKS = "masks"

MOST_POINTS = 1000

_DEFAULT_POINTS = {"box_points": 10, "multi_point": 10}


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """A way of annotating.

    Attributes
    ----------
    protocol : "masks", or the annotation protocol of a system: "box_points", "single_point", "multi_point"
    points : of each object; 0 for masks, 1 for single points
    """

    protocol: str
    points: int

    @property
    def name(self) -> str:
        """As on the command line: "masks", "box_points:10"."""
        return f"{self.protocol}:{self.points}" if self.protocol in _DEFAULT_POINTS else self.protocol

    @property
    def title(self) -> str:
        """In words: "box+10", "masks", "single points"."""
        titles = {
            "masks": "masks",
            "single_point": "single points",
            "box_points": f"box+{self.points}",
            "multi_point": f"{self.points} points",
        }
        return titles.get(self.protocol, self.name)

    @property
    def slug(self) -> str:
        """As part of the name of a folder."""
        return self.name.replace(":", "").replace("_", "-")

    @property
    def supervision(self) -> str:
        """What ``--supervision`` says."""
        return "masks" if self.protocol == MASKS else "points"

    @property
    def simulation(self) -> Protocol:
        """The protocol of ``pointanno simulate``."""
        return cast("Protocol", "mask" if self.protocol == MASKS else self.protocol.replace("_", "-"))


def parse_kind(text: str) -> Kind:
    """A kind from "masks", "box_points:10", "single_point" or "multi_point:3".

    Raises
    ------
    InputError
        If it is none of them.
    """
    protocol, _, number = text.strip().replace("-", "_").partition(":")
    if protocol in _DEFAULT_POINTS:
        points = int(number) if number.isdecimal() else 0 if number else _DEFAULT_POINTS[protocol]
        if 1 <= points <= MOST_POINTS:
            return Kind(protocol, points)
    elif protocol in (MASKS, "single_point") and not number:
        return Kind(protocol, int(protocol != MASKS))
    raise InputError(
        f"--kinds {text!r}: expected masks, single_point, box_points:N or multi_point:N with N from 1 to {MOST_POINTS}"
    )


def find_system(kind: Kind, wanted: str | None, others: Sequence[Kind]) -> SystemDescriptor:
    """The system that learns from a kind.

    Parameters
    ----------
    kind : what is annotated
    wanted : ``--system``; None takes an installed one whose protocol it is
    others : all kinds of the comparison: masks are learnt by a system that learns from one of these, too

    Raises
    ------
    InputError
        If none does, or several do.
    """
    installed = [load_system(name) for name in ([wanted] if wanted else available_systems())]
    fitting = [system for system in installed if _learns(system, kind)]
    if kind.protocol == MASKS and not wanted:
        needed = {system.name for other in others if other != kind for system in installed if _learns(system, other)}
        fitting = [system for system in fitting if system.name in needed] or fitting
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        can = "; ".join(f"{system.name}: {', '.join(_names(system))}" for system in installed) or "none"
        raise InputError(f"--kinds {kind.name}: no installed system learns from it ({can}); choose another kind")
    raise InputError(
        f"--kinds {kind.name}: {' and '.join(system.name for system in fitting)} learn from it; choose one by --system"
    )


def find_systems(kinds: Sequence[Kind], wanted: str | None) -> dict[Kind, SystemDescriptor]:
    """The system of each kind, all measured by one metric.

    Raises
    ------
    InputError
        If there is none, or the metrics differ.
    """
    found = {kind: find_system(kind, wanted, kinds) for kind in kinds}
    metrics = {system.metric: system.name for system in found.values()}
    if len(metrics) > 1:
        said = " and ".join(f"{name} by {metric.upper()}" for metric, name in metrics.items())
        raise InputError(
            f"--kinds: these kinds cannot stand in one plot, since their systems are measured differently ({said}); "
            "choose kinds of one system by --kinds or --system"
        )
    return found


def kinds_of(system: SystemDescriptor) -> tuple[Kind, ...]:
    """What a system learns from, masks first."""
    kinds = map(parse_kind, _names(system))
    return tuple(sorted(kinds, key=lambda kind: (kind.protocol != MASKS, kind)))


def _learns(system: SystemDescriptor, kind: Kind) -> bool:
    if kind.protocol == MASKS:
        return "masks" in system.supervisions
    return "points" in system.supervisions and system.annotation == kind.protocol


def _names(system: SystemDescriptor) -> list[str]:
    """Kinds that a system learns from, as on the command line."""
    own = system.annotation
    names: list[Any] = [f"{own}:{_DEFAULT_POINTS[own]}" if own in _DEFAULT_POINTS else own]
    return [*names, MASKS] if "masks" in system.supervisions else names
