"""How each kind of annotation is asked for: state machines without a window and without a database.

A protocol looks at the annotations of an image and says what to ask next; it turns what the person did into an
event for `Project.record`. It holds no state of its own, so undo, crash and restart need no care here.
"""

from pointanno.protocols.box_points import BoxPoints
from pointanno.protocols.questions import AskBox, AskClick, AskPoint, Question, Step
from pointanno.protocols.sampling import SAMPLER, point_seed, sample_points
from pointanno.protocols.single_point import SELECT_RADIUS, SinglePoint

PROTOCOLS: dict[str, type[SinglePoint] | type[BoxPoints]] = {
    SinglePoint.name: SinglePoint,
    BoxPoints.name: BoxPoints,
}
"""Protocols by name."""

__all__ = [
    "PROTOCOLS",
    "SAMPLER",
    "SELECT_RADIUS",
    "AskBox",
    "AskClick",
    "AskPoint",
    "BoxPoints",
    "Question",
    "SinglePoint",
    "Step",
    "point_seed",
    "sample_points",
]
