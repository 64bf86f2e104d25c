"""Times that others have published: the reference lines of the report."""

from __future__ import annotations

from dataclasses import dataclass

from pointanno.errors import InputError
from pointanno.timing.items import KINDS


@dataclass(frozen=True, slots=True)
class Reference:
    """A published time.

    Attributes
    ----------
    kind : of the items that it can stand beside (`pointanno.timing.items.KINDS`)
    label : what was annotated, and how
    seconds : per item
    source : where it was measured, and where we read it
    """

    kind: str
    label: str
    seconds: float
    source: str


_POINT_SUP = "Cheng, Parkhi, Kirillov, Pointly-Supervised Instance Segmentation (CVPR 2022), arXiv:2104.06404"
_WHATS_THE_POINT = "Bearman et al., What's the Point (ECCV 2016), arXiv:1506.02106"

REFERENCES = (
    Reference("point", "answer about a point of a box, COCO", 0.9, _POINT_SUP),
    Reference(
        "box",
        "box by extreme clicking, PASCAL VOC",
        7.0,
        f"Papadopoulos et al., Extreme clicking (ICCV 2017), arXiv:1708.02750; as quoted in {_POINT_SUP}",
    ),
    Reference("object", "box and 10 points, COCO", 16.0, f"7 s + 10 x 0.9 s, {_POINT_SUP}"),
    Reference(
        "object",
        "polygon, COCO",
        79.2,
        f"Lin et al., Microsoft COCO (ECCV 2014), arXiv:1405.0312; as quoted in {_POINT_SUP}",
    ),
    Reference("image", "one point a class, PASCAL VOC", 22.1, _WHATS_THE_POINT),
    Reference("image", "full masks, PASCAL VOC", 239.7, _WHATS_THE_POINT),
)


def parse_reference(text: str) -> Reference:
    """A reference line of the user's own, from "KIND=SECONDS=LABEL".

    Raises
    ------
    InputError
        If it is none.
    """
    kind, _, rest = text.partition("=")
    number, _, label = rest.partition("=")
    try:
        seconds = float(number)
    except ValueError:
        seconds = 0.0
    if kind not in KINDS or not 0 < seconds < float("inf"):
        raise InputError(
            "--reference: expected KIND=SECONDS=LABEL such as object=41.5=our old tool, "
            f"with one of {', '.join(KINDS)}, received {text!r}"
        )
    return Reference(kind, label.strip() or "own reference", seconds, "given by the reader")
