"""A system of a few hundred weights that learns bright discs from points in seconds."""

from pointanno.systems import SystemDescriptor

SYSTEM = SystemDescriptor(
    name="toy_points",
    title="Toy",
    package="toy_points",
    implementation="toy_points.system:ToyPoints",
    supervisions=("points", "masks"),
    annotation="box_points",
    output="instances",
    stages=("first", "second"),
    metric="ap",
)
