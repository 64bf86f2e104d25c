"""A folder of scenes in the layout of real data sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image as PillowImage

from pointanno.dataset import Image, PanopticPrediction
from pointanno.errors import InputError
from pointanno.formats import coco_instances, coco_panoptic, coco_point
from pointanno.formats.json_file import replace_file
from pointanno.scenes.scene import CATEGORIES, SMALLEST, generate_scene
from pointanno.simulation import simulate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def write_scenes(dest: str | Path, count: int = 12, size: int = 128, seed: int = 0, *, progress: bool = False) -> Path:
    """Write scenes with their truth and simulated points.

    The folder gets ``images/``, ``instances.json``, ``panoptic.json``, ``panoptic/`` and ``points.json`` (ten
    points for each box, and one click for each region of stuff). Scene k is that of seed ``seed + k``.

    Parameters
    ----------
    dest
        Folder, made if it does not exist; files of these names are replaced.
    count
        Number of pictures.
    size
        Width and height in pixels.
    seed
        Seed of the first picture.
    progress
        Whether to show a progress bar on standard error when it takes longer than a second.

    Returns
    -------
    Path
        `dest`.

    Raises
    ------
    InputError
        If a number is out of its range.
    """
    if count < 1:
        raise InputError(f"--count: expected 1 or more scenes, but got {count}")
    if size < SMALLEST:
        raise InputError(f"--size: expected {SMALLEST} pixels or more, but got {size}")
    if seed < 0:
        raise InputError(f"--seed: expected an integer that is not negative, but got {seed}")
    dest = Path(dest)
    (dest / "images").mkdir(parents=True, exist_ok=True)
    images = [Image(number + 1, f"scene_{seed + number:04d}.png", size, size) for number in range(count)]
    info = {"description": f"Generated scenes, seeds {seed} to {seed + count - 1}, {size} pixels", "version": "1"}
    scenes = _draw(dest / "images", images, size, seed, progress)
    coco_panoptic.write_panoptic(dest / "panoptic.json", images, CATEGORIES, scenes, info=info)
    _write_derived(dest, seed)
    return dest


def _draw(
    folder: Path, images: Sequence[Image], size: int, seed: int, progress: bool
) -> Iterator[tuple[int, PanopticPrediction]]:
    """Save one picture after the other and hand on its truth."""
    numbered: Iterable[tuple[int, Image]] = enumerate(images)
    if progress:
        from tqdm import tqdm

        numbered = tqdm(numbered, desc="drawing scenes", total=len(images), unit="images", delay=1)
    for number, image in numbered:
        scene = generate_scene(seed + number, size)
        with replace_file(folder / image.file_name) as file:
            PillowImage.fromarray(scene.image).save(file, format="PNG", optimize=True)
        yield image.id, PanopticPrediction(scene.panoptic_seg, scene.segments_info)


def _write_derived(dest: Path, seed: int) -> None:
    """Instances and points from the panoptic truth."""
    truth = coco_panoptic.read(dest / "panoptic.json")
    coco_instances.write(truth, dest / "instances.json")
    boxes = simulate(truth, "box-points", n=10, seed=seed)
    clicks = simulate(truth, "single-point", seed=seed)
    stuff = tuple(target for target in clicks.targets if not target.isthing)
    stuff = tuple(replace(target, id=number) for number, target in enumerate(stuff, start=1))
    coco_point.write(replace(boxes, targets=stuff, images=clicks.images), dest / "points.json")
