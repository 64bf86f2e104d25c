"""``pointanno scenes``: generated pictures with full truth."""

from __future__ import annotations

from pathlib import Path

from pointanno.cli.console import Json, emit


def scenes_command(dest: Path, *, count: int = 12, size: int = 128, seed: int = 0, json: Json = False) -> None:
    """Draw scenes of houses, boats and balloons with exact masks, and points from them.

    Example: `pointanno scenes my_scenes --count 40 --size 128 --seed 0`

    Parameters
    ----------
    dest
        Folder to write: images/, instances.json, panoptic.json, panoptic/ and points.json.
    count
        Number of pictures.
    size
        Width and height in pixels.
    seed
        Seed of the first picture; the next one has the next seed.
    json
        Print one JSON object.
    """
    from pointanno.scenes import write_scenes

    write_scenes(dest, count, size, seed, progress=True)
    result = {"dest": str(dest), "count": count, "size": size, "seed": seed}
    emit(result, f"{dest}: {count} scenes of {size} x {size} pixels", as_json=json)
