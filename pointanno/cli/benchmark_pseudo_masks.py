"""``pointanno benchmark pseudo-masks``: how good masks from clicks alone are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from pointanno.cli.console import Json, emit, note
from pointanno.errors import InputError
from pointanno.simulation import Sampling


def benchmark_pseudo_masks(
    *,
    data: Path | None = None,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    sets: Annotated[list[str] | None, Parameter(name="--set", negative=(), consume_multiple=True)] = None,
    split: str = "val",
    images: int = 20,
    points: Annotated[int, Parameter(name=["--points", "-n"])] = 1,
    sampling: Sampling = "uniform",
    seed: int = 0,
    cells: int = 128,
    pictures: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> None:
    """Measure masks that are made from clicks without any training, against the truth.

    Clicks are simulated, one for each segment, things and stuff. Three generators make masks of them: the nearest
    click, shortest paths over the image's edges, and shortest paths over edges and colours, which is what the
    window shows while clicking. Their panoptic quality says how far training has to go beyond.

    Example: `pointanno benchmark pseudo-masks --data data/ --set nuclei --out results/ --pictures`

    Parameters
    ----------
    data
        Folder of the data sets, each with SPLIT/images and SPLIT/panoptic.json; by default the folder that
        POINTANNO_DATA names, else ../shared/data.
    out
        Folder for pseudo_masks.json and the pictures.
    sets
        Only these data sets.
    split
        train or val, or whatever the folder is called.
    images
        So many pictures of each set, spread evenly over their names.
    points
        Clicks for each segment.
    sampling
        Where clicks fall in their segment: anywhere, rather in the middle, or rather at the border.
    seed
        Of the clicks.
    cells
        Grid of the paths: cells along the longer side of a picture.
    pictures
        Draw each picture with its clicks, the truth and the masks, side by side, into OUT/<set>.
    """
    from pointanno.benchmark.data_folder import default_data
    from pointanno.benchmark.pseudo_masks import find_splits, measure_generators, path_generators
    from pointanno.formats.json_file import write_json

    for option, value in (("--images", images), ("--points", points), ("--cells", cells)):
        if value < 1:
            raise InputError(f"{option} must be 1 or more, but is {value}")
    if pictures and out is None:
        raise InputError("--pictures needs --out: name the folder to draw them into")
    splits = find_splits(default_data("pseudo-masks") if data is None else data, sets or [], split)
    generators = path_generators(cells)
    measured: dict[str, Any] = {}
    for name, folder in splits.items():
        note(f"{name}: {images} pictures of {folder}")
        measured[name] = measure_generators(
            folder, generators, images=images, points=points, sampling=sampling, seed=seed,
            pictures=out / name if pictures and out is not None else None,
        )  # fmt: skip
    result = {"split": split, "points": points, "sampling": sampling, "seed": seed, "cells": cells, "sets": measured}
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / "pseudo_masks.json", result)
    emit(result, _table(measured), as_json=json)


def _table(measured: dict[str, Any]) -> str:
    lines = [f"{'data set':<14}{'masks from':<14}{'PQ':>7}{'things':>8}{'stuff':>8}{'CPU ms':>8}"]
    for name, of_set in measured.items():
        for generator, row in of_set["generators"].items():
            quality = [row["pq"], row["pq_things"], row["pq_stuff"]]
            cells = ["-" if value is None else f"{value:.3f}" for value in quality]
            spent = "-" if row["cpu_ms"] is None else f"{row['cpu_ms']:.0f}"
            lines.append(f"{name:<14}{generator:<14}{cells[0]:>7}{cells[1]:>8}{cells[2]:>8}{spent:>8}")
    return "\n".join(lines)
