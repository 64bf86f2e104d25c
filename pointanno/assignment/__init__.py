"""Pixels to clicks by shortest paths: the label generator of PSPS, and instant masks while clicking.

=============  =====================================================================================
`boundary`     where the image has edges (Eq. 6)
`costs`        what a step from a cell to its neighbour costs (Eq. 4 to 7)
`paths`        cheapest ways from the clicks (Eq. 3); `heap` and `sweeps` are its two methods
`fused`        interpolation, weighting and the choice of the target in one pass (Eq. 8)
`stage`        all of it, from probabilities and clicks to masks
`instant`      masks from clicks alone, one click after another
`grid`         the grid, clicks on it, gated probabilities
`compiled`     how the inner loops are compiled; `warming` compiles them before they are needed
=============  =====================================================================================
"""

from pointanno.assignment.boundary import boundary_map, rgb_to_lab
from pointanno.assignment.costs import NEIGHBOURS, edge_costs
from pointanno.assignment.fused import IGNORE_LABEL, assign_by_distances
from pointanno.assignment.grid import (
    gate_probabilities,
    grid_size,
    grid_stride,
    points_to_cells,
    present_classes,
    resize_bilinear,
)
from pointanno.assignment.instant import InstantMasks, masks_from_clicks
from pointanno.assignment.paths import shortest_paths
from pointanno.assignment.stage import Assignment, assign_pixels_to_points
from pointanno.assignment.warming import warm_up

__all__ = [
    "IGNORE_LABEL",
    "NEIGHBOURS",
    "Assignment",
    "InstantMasks",
    "assign_by_distances",
    "assign_pixels_to_points",
    "boundary_map",
    "edge_costs",
    "gate_probabilities",
    "grid_size",
    "grid_stride",
    "masks_from_clicks",
    "points_to_cells",
    "present_classes",
    "resize_bilinear",
    "rgb_to_lab",
    "shortest_paths",
    "warm_up",
]
