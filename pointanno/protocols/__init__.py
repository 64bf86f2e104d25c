"""How each kind of annotation is asked for: state machines without a window and without a database.

A protocol looks at the annotations of an image and says what to ask next; it turns what the person did into an
event for `Project.record`. It holds no state of its own, so undo, crash and restart need no care here.
"""

from pointanno.protocols.box_points import BoxPoints, box_of_extremes
from pointanno.protocols.mask import Mask
from pointanno.protocols.multi_point import MultiPoint, TargetProgress
from pointanno.protocols.questions import (
    AskBox,
    AskClick,
    AskExtreme,
    AskMask,
    AskPoint,
    AskTarget,
    Question,
    Step,
)
from pointanno.protocols.registry import PROTOCOLS, Protocol, make_protocol
from pointanno.protocols.sampling import SAMPLER, point_seed, sample_points
from pointanno.protocols.second_look import SecondLook
from pointanno.protocols.single_point import SELECT_RADIUS, SinglePoint
from pointanno.protocols.strokes import brush_mask, polygon_mask

__all__ = [
    "PROTOCOLS",
    "SAMPLER",
    "SELECT_RADIUS",
    "AskBox",
    "AskClick",
    "AskExtreme",
    "AskMask",
    "AskPoint",
    "AskTarget",
    "BoxPoints",
    "Mask",
    "MultiPoint",
    "Protocol",
    "Question",
    "SecondLook",
    "SinglePoint",
    "Step",
    "TargetProgress",
    "box_of_extremes",
    "brush_mask",
    "make_protocol",
    "point_seed",
    "polygon_mask",
    "sample_points",
]
