"""PSPS: panoptic segmentation from one click per object and per kind of stuff. No torch in this file."""

from pointanno.systems import SystemDescriptor

SYSTEM = SystemDescriptor(
    name="psps",
    title="PSPS (single points, panoptic)",
    package="pointanno_models.psps",
    implementation="pointanno_models.psps.system:PSPS",
    supervisions=("points", "masks"),
    annotation="single_point",
    output="panoptic",
    stages=("train",),
    metric="pq",
)

__all__ = ["SYSTEM"]
