"""PointSup: instance segmentation from boxes and randomly placed, answered points. No torch in this file."""

from pointanno.systems import SystemDescriptor

SYSTEM = SystemDescriptor(
    name="point_sup",
    title="PointSup Mask R-CNN (box + points)",
    package="pointanno_models.point_sup",
    implementation="pointanno_models.point_sup.system:PointSup",
    supervisions=("points", "masks"),
    annotation="box_points",
    output="instances",
    stages=("train", "pseudo_label", "retrain"),  # the last two with self-training
    metric="ap",
)

__all__ = ["SYSTEM"]
