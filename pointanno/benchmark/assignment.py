"""Speed of the label assignment beside its peers, measured in turns in one process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from skimage.transform import resize

from pointanno.assignment import (
    InstantMasks,
    assign_by_distances,
    assign_pixels_to_points,
    boundary_map,
    edge_costs,
    gate_probabilities,
    grid_size,
    masks_from_clicks,
    points_to_cells,
    present_classes,
    resize_bilinear,
    shortest_paths,
    warm_up,
)
from pointanno.benchmark.assignment_peers import choose_from_maps, costs_to_graph, scipy_shortest_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

#: Rows and columns of the grids whose search is measured: 600-pixel and 800-pixel pictures at 1/16, and beyond.
GRIDS = ((37, 56), (50, 66), (50, 83), (128, 128), (200, 200), (256, 256))

#: Targets for each of them.
TARGETS = (4, 20, 100)

#: The whole stage: size of the picture, clicks on things, thing and stuff classes.
STAGE_SIZE, STAGE_CLICKS, STAGE_THINGS, STAGE_STUFF = (800, 1056), 20, 80, 53

#: Sizes of the pictures that are clicked live, and the milliseconds that one more click, or 30 at once, may take.
LIVE_SIZE, LIVE_LIMIT, BATCH_SIZE, BATCH_LIMIT = (480, 640), 33, (512, 512), 150


def measure_in_turns(contenders: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, dict[str, float]]:
    """Median times of functions that are called one after the other, again and again.

    Parameters
    ----------
    contenders
        By name.
    repeats
        Rounds after a first one that does not count.

    Returns
    -------
    dict
        By name ``wall_ms`` and ``cpu_ms``, medians over the rounds.
    """
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for counts in (False, *[True] * repeats):
        for name, run in contenders.items():
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            if counts:
                spent[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    medians = {name: np.median(np.array(each), axis=0) * 1000 for name, each in spent.items()}
    return {name: {"wall_ms": float(wall), "cpu_ms": float(cpu)} for name, (wall, cpu) in medians.items()}


def measure_search(
    grids: Sequence[tuple[int, int]], targets: Sequence[int], repeats: int, tell: Callable[[str], None]
) -> list[dict[str, Any]]:
    """The search alone against scipy and a heap, on the costs of a picture and on white noise.

    Returns
    -------
    list of dict
        ``grid``, ``targets``, ``costs`` ("picture" or "noise"), times of ``ours``, ``scipy`` and ``heap``, the
        ratios of CPU time ``over_scipy`` and ``over_heap``, ``difference``, the largest one to scipy, and
        ``differing``, cells whose bits are not those of the heap.
    """
    rows = []
    for height, width in grids:
        for kind in ("picture", "noise"):
            costs = _costs(kind, height, width)
            graph = costs_to_graph(costs)
            for count in targets:
                seeds = np.random.default_rng(count).integers(0, (width, height), (count, 1, 2))
                tell(f"search, {height} x {width}, {count} targets, {kind}")
                times = measure_in_turns(_searches(costs, graph, list(seeds)), repeats)
                found = shortest_paths(costs, list(seeds))
                exact = scipy_shortest_paths(graph, list(seeds), (height, width))
                rows.append(
                    {
                        "grid": [height, width],
                        "targets": count,
                        "costs": kind,
                        **times,
                        "over_scipy": times["scipy"]["cpu_ms"] / times["ours"]["cpu_ms"],
                        "over_heap": times["heap"]["cpu_ms"] / times["ours"]["cpu_ms"],
                        "difference": float(np.abs(found - exact).max()),
                        "differing": int((found != shortest_paths(costs, list(seeds), method="heap")).sum()),
                    }
                )
    return rows


def measure_stage(repeats: int, size: tuple[int, int] = STAGE_SIZE) -> dict[str, Any]:
    """The whole stage, and its last step alone, against maps of every target in full size.

    The peer gets our costs, scipy's search and only the classes that are present; what differs is the search, and
    that it makes a map of every target in the size of the picture.

    Returns
    -------
    dict
        Times of ``ours``, ``peer``, ``our_choice`` and ``peer_choice``; ratios of CPU time ``over_peer`` and
        ``choice_over_peer``; ``pixels`` and how many of them are ``differing``.
    """
    rng = np.random.default_rng(0)
    image = (_picture(*size) * 255).astype(np.uint8)
    isthing = np.arange(STAGE_THINGS + STAGE_STUFF) < STAGE_THINGS
    classes = np.concatenate(
        [rng.integers(0, STAGE_THINGS, STAGE_CLICKS), STAGE_THINGS + rng.choice(STAGE_STUFF, 3, replace=False)]
    )
    clicks = list(rng.integers(0, size[::-1], (len(classes), 1, 2)))
    scores = resize_bilinear(rng.normal(size=(len(isthing), size[0] // 32, size[1] // 32)) * 3, size)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=0)
    gated = gate_probabilities(scores, clicks, classes)
    present = present_classes(clicks, classes)
    things = isthing[classes]
    cells = grid_size(size, 16)
    seeds = [points_to_cells(coords, 16, cells) for coords in np.array(clicks)[things]]

    def costs() -> Floats:
        small = np.moveaxis(resize_bilinear(np.moveaxis(image, 2, 0), cells), 0, 2) / np.float32(255)
        return edge_costs(resize_bilinear(gated[present], cells), boundary_map(small))

    def ours() -> NDArray[Any]:
        return assign_pixels_to_points(
            gated, clicks, classes, isthing, image=image, stride=16, is_gated=True, compatibility="class_and_stuff"
        ).labels

    def peer() -> NDArray[Any]:
        found = scipy_shortest_paths(costs_to_graph(costs()), seeds, cells).astype(np.float32)
        return choose_from_maps(found, classes[things], gated, isthing, present)[0]

    distances = shortest_paths(costs(), seeds)
    times = measure_in_turns(
        {
            "ours": ours,
            "peer": peer,
            "our_choice": lambda: assign_by_distances(
                distances, classes[things], gated, isthing, present=present, compatibility="class_and_stuff"
            ),
            "peer_choice": lambda: choose_from_maps(distances, classes[things], gated, isthing, present),
        },
        repeats,
    )
    return {
        "size": list(size),
        "clicks": STAGE_CLICKS,
        "classes": len(isthing),
        **times,
        "over_peer": times["peer"]["cpu_ms"] / times["ours"]["cpu_ms"],
        "choice_over_peer": times["peer_choice"]["cpu_ms"] / times["our_choice"]["cpu_ms"],
        "pixels": size[0] * size[1],
        "differing": int((ours() != peer()).sum()),
    }


def measure_live(repeats: int) -> dict[str, Any]:
    """One more click on a picture with 30, and 30 clicks at once on a new picture.

    Returns
    -------
    dict
        ``one_more`` and ``thirty_at_once``, each with ``size``, ``wall_ms``, ``p95_wall_ms``, ``cpu_ms`` and
        ``limit_ms``.
    """
    rng = np.random.default_rng(0)
    image = (_picture(*LIVE_SIZE) * 255).astype(np.uint8)
    masks = InstantMasks(image, [True])
    masks.add_targets(list(rng.integers(0, LIVE_SIZE[::-1], (30, 1, 2))), np.zeros(30, np.int64))
    spent = []
    for click in rng.integers(0, LIVE_SIZE[::-1], (max(repeats, 20), 2)):
        wall, cpu = time.perf_counter(), time.process_time()
        masks.add_click("next", 0, click)
        masks.labels()
        spent.append((time.perf_counter() - wall, time.process_time() - cpu))
        masks.remove_click("next", click)
    other = (_picture(*BATCH_SIZE) * 255).astype(np.uint8)
    clicks = list(rng.integers(0, BATCH_SIZE[::-1], (30, 1, 2)))
    at_once = []
    for _ in range(max(repeats, 20)):
        wall, cpu = time.perf_counter(), time.process_time()
        masks_from_clicks(other, clicks, np.zeros(30, np.int64), [True])
        at_once.append((time.perf_counter() - wall, time.process_time() - cpu))
    return {
        "one_more": _summary(spent, LIVE_SIZE, LIVE_LIMIT),
        "thirty_at_once": _summary(at_once, BATCH_SIZE, BATCH_LIMIT),
    }


def run_assignment_benchmark(
    *,
    grids: Sequence[tuple[int, int]] = GRIDS,
    targets: Sequence[int] = TARGETS,
    repeats: int = 5,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Everything: ``compile_s``, ``search``, ``stage`` and ``live``; `tell` hears what is going on."""
    tell("compiling, or loading what was compiled before")
    compile_s = warm_up()
    search = measure_search(grids, targets, repeats, tell)
    tell("the whole stage")
    stage = measure_stage(repeats)
    tell("live clicks")
    return {"compile_s": compile_s, "repeats": repeats, "search": search, "stage": stage, "live": measure_live(repeats)}


def _searches(
    costs: Floats, graph: Any, seeds: Sequence[NDArray[np.int64]]
) -> dict[str, Callable[[], NDArray[np.floating[Any]]]]:
    return {
        "ours": lambda: shortest_paths(costs, seeds),
        "scipy": lambda: scipy_shortest_paths(graph, seeds, costs.shape[1:]),
        "heap": lambda: shortest_paths(costs, seeds, method="heap"),
    }


def _costs(kind: str, height: int, width: int) -> Floats:
    """Costs of steps: of a picture with soft classes, or white noise."""
    if kind == "noise":
        return np.random.default_rng(1).random((8, height, width)).astype(np.float32)
    image = _picture(height, width)
    brightness = image.mean(axis=2)
    return edge_costs(np.stack([brightness, 1 - brightness]), boundary_map(image))


def _picture(height: int, width: int) -> Floats:
    """The portrait that comes with scikit-image in another size, float32 in [0, 1]."""
    from skimage.data import astronaut

    resized: Floats = resize(astronaut(), (height, width), anti_aliasing=True).astype(np.float32)
    return resized


def _summary(spent: list[tuple[float, float]], size: tuple[int, int], limit: float) -> dict[str, Any]:
    wall, cpu = np.array(spent).T * 1000
    return {
        "size": list(size),
        "wall_ms": float(np.median(wall)),
        "p95_wall_ms": float(np.percentile(wall, 95)),
        "cpu_ms": float(np.median(cpu)),
        "limit_ms": limit,
    }
