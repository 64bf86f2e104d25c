"""Compilation ahead of the first use."""

from __future__ import annotations

import time

import numpy as np

from pointanno.assignment.instant import InstantMasks
from pointanno.assignment.paths import shortest_paths
from pointanno.assignment.stage import assign_pixels_to_points


def warm_up() -> float:
    """Compile every inner loop, or load what an earlier process has compiled; seconds that it took.

    The first call after an installation takes some ten seconds, later processes a fraction of one. Safe in a
    thread: the interpreter goes on meanwhile, apart from the compiler's own work. Who answers clicks calls this
    before the first one.
    """
    start = time.perf_counter()
    image = np.zeros((8, 8, 3), np.uint8)
    image[:, 4:] = 255
    probabilities = np.full((2, 8, 8), 0.5, np.float32)
    embedding = np.ones((1, 8, 8), np.float32)
    clicks = [[(1, 1)], [(6, 6)], [(1, 6)]]
    for method in ("heap", "sweeps"):
        found = assign_pixels_to_points(
            probabilities, clicks, [0, 0, 1], [True, False], image=image, embedding=embedding, stride=1, method=method
        )
    shortest_paths(np.ones((8, 8, 8), np.float32), clicks)
    masks = InstantMasks(image, [True, False])
    masks.add_click("any", 0, (1, 1))
    masks.labels()
    assert found.labels.shape == (8, 8)
    return time.perf_counter() - start
