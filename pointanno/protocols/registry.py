"""Protocols by name, and one made from settings and options."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from pointanno.errors import InputError
from pointanno.protocols.box_points import BoxPoints
from pointanno.protocols.mask import Mask
from pointanno.protocols.multi_point import MultiPoint
from pointanno.protocols.single_point import SinglePoint

if TYPE_CHECKING:
    from collections.abc import Mapping

Protocol = SinglePoint | MultiPoint | BoxPoints | Mask

PROTOCOLS: dict[str, type[SinglePoint] | type[MultiPoint] | type[BoxPoints] | type[Mask]] = {
    SinglePoint.name: SinglePoint,
    MultiPoint.name: MultiPoint,
    BoxPoints.name: BoxPoints,
    Mask.name: Mask,
}
"""Protocols by name."""

SHARED = frozenset({"points_per_box", "seed"})
"""Settings of a project, which a protocol that has no use for them does not get."""


def make_protocol(name: str, options: Mapping[str, Any]) -> Protocol:
    """A protocol with its options.

    Parameters
    ----------
    name : of `PROTOCOLS`
    options : arguments of the protocol; settings of the project (`SHARED`) are left out where it has none such

    Raises
    ------
    InputError
        If the protocol or one of the options is not known, or has a wrong value.
    """
    if name not in PROTOCOLS:
        raise InputError(f"protocol: expected one of {', '.join(PROTOCOLS)}, received {name!r}")
    kind = PROTOCOLS[name]
    known = set(inspect.signature(kind).parameters) if kind is not SinglePoint else set()
    unknown = sorted(set(options) - known - SHARED)
    if unknown:
        raise InputError(
            f"protocol {name}: {unknown[0]!r} is not among its options ({', '.join(sorted(known)) or 'it has none'})"
        )
    try:
        return kind(**{key: value for key, value in options.items() if key in known})
    except TypeError as error:
        raise InputError(f"protocol {name}: {error}. Correct the option") from None
