"""How good masks made from simulated clicks are: panoptic quality of several generators against the truth."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pointanno.assignment import masks_from_clicks, warm_up
from pointanno.errors import InputError
from pointanno.evaluation.panoptic import PanopticQuality
from pointanno.formats import read_dataset
from pointanno.formats.coco_panoptic import paint_instances
from pointanno.formats.rle import mask_to_rle
from pointanno.images import read_image, to_rgb8
from pointanno.overlay import draw_annotations, draw_instances, side_by_side
from pointanno.simulation import simulate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pointanno.dataset import Instance, PointDataset, Target
    from pointanno.simulation import Protocol as SimulatedProtocol
    from pointanno.simulation import Sampling

#: Pictures are drawn with about so many pixels along the longer side.
_WANTED_SIDE = 512


class Generator(Protocol):
    """Makes masks of one picture from its clicks."""

    def __call__(
        self, image: NDArray[np.uint8], point_coords: Sequence[NDArray[np.int32]], category_ids: Sequence[int]
    ) -> NDArray[np.int32]:
        """Index of the target of each pixel, (H, W), -1 for none.

        Parameters
        ----------
        image : (H, W, 3) uint8, RGB
        point_coords : one (n_k, 2) array of pixel indices (x, y) for each target, things and stuff
        category_ids : category of each target
        """


@dataclass(frozen=True, eq=False)
class Example:
    """One picture with its truth and simulated clicks, one target for each segment."""

    file_name: str
    image: NDArray[np.uint8]
    panoptic_seg: NDArray[np.int32]
    segments: Sequence[Mapping[str, Any]]
    instances: Sequence[Instance]
    targets: Sequence[Target]


def nearest_click(
    image: NDArray[np.uint8], point_coords: Sequence[NDArray[np.int32]], category_ids: Sequence[int]
) -> NDArray[np.int32]:
    """Each pixel to the click beside it: what needs no picture at all."""
    rows, columns = np.ogrid[: image.shape[0], : image.shape[1]]
    best = np.full(image.shape[:2], np.inf)
    labels = np.full(image.shape[:2], -1, np.int32)
    for target, coords in enumerate(point_coords):
        for x, y in coords.tolist():
            squared = (columns - x) ** 2 + (rows - y) ** 2
            labels[squared < best] = target
            np.minimum(best, squared, out=best)
    return labels


def path_generators(cells: int) -> dict[str, Generator]:
    """The generators that need no training, on a grid of `cells` along the longer side."""

    def edges(
        image: NDArray[np.uint8], point_coords: Sequence[NDArray[np.int32]], category_ids: Sequence[int]
    ) -> NDArray[np.int32]:
        """Shortest paths that only edges make long, as with the boundary term of PSPS alone."""
        return masks_from_clicks(
            image, point_coords, np.zeros(len(point_coords)), [True],
            most_cells=cells, color_weight=0, edge_weight=1, step_cost=1e-4,
        )  # fmt: skip

    def edges_and_colors(
        image: NDArray[np.uint8], point_coords: Sequence[NDArray[np.int32]], category_ids: Sequence[int]
    ) -> NDArray[np.int32]:
        """What the window shows while clicking."""
        return masks_from_clicks(image, point_coords, np.zeros(len(point_coords)), [True], most_cells=cells)

    return {"nearest": nearest_click, "edges": edges, "edges+colors": edges_and_colors}


def read_examples(
    folder: Path, *, images: int, points: int = 1, sampling: Sampling = "uniform", seed: int = 0
) -> tuple[PointDataset, Iterator[Example]]:
    """Some pictures of a split, spread evenly over its sorted names, with simulated clicks.

    Parameters
    ----------
    folder
        With ``images/`` and ``panoptic.json``.
    images
        How many; all if there are fewer.
    points, sampling, seed
        Clicks for each segment, see ``pointanno.simulation.simulate``.

    Returns
    -------
    dataset
        Its classes and the chosen pictures.
    examples
        One after another.

    Raises
    ------
    InputError
        If a file is missing or wrong.
    """
    truth = read_dataset(folder / "panoptic.json")
    ordered = sorted(truth.images, key=lambda image: image.file_name)
    places = np.unique(np.linspace(0, len(ordered) - 1, min(images, len(ordered))).round().astype(int))
    chosen = {ordered[place].id: ordered[place] for place in places.tolist()}
    dataset = dataclasses.replace(
        truth,
        images=tuple(chosen.values()),
        instances=tuple(instance for instance in truth.instances if instance.image_id in chosen),
    )
    protocol: SimulatedProtocol = "single-point" if points == 1 else "multi-point"
    clicked = simulate(dataset, protocol, n=points, sampling=sampling, seed=seed)
    isthing = {category.id: category.isthing for category in dataset.categories}

    def examples() -> Iterator[Example]:
        for image in dataset.images:
            instances = [instance for instance in dataset.instances if instance.image_id == image.id]
            painted = paint_instances(instances, (image.height, image.width), isthing)
            yield Example(
                image.file_name,
                to_rgb8(read_image(folder / "images" / image.file_name)),
                painted.panoptic_seg,
                painted.segments_info,
                instances,
                [target for target in clicked.targets if target.image_id == image.id],
            )

    return dataset, examples()


def measure_generators(
    folder: Path,
    generators: Mapping[str, Generator],
    *,
    images: int = 20,
    points: int = 1,
    sampling: Sampling = "uniform",
    seed: int = 0,
    pictures: Path | None = None,
) -> dict[str, Any]:
    """Panoptic quality of the masks of each generator on the same clicks.

    Parameters
    ----------
    folder, images, points, sampling, seed
        See `read_examples`.
    generators
        By name.
    pictures
        Folder for drawings of every picture: clicks, truth, and the masks of each generator; None for none.

    Returns
    -------
    dict
        ``images``, ``targets``, and by generator ``pq``, ``pq_things``, ``pq_stuff`` (None where there are none)
        and ``cpu_ms``, the median CPU time for a picture.
    """
    warm_up()
    dataset, examples = read_examples(folder, images=images, points=points, sampling=sampling, seed=seed)
    isthing = {category.id: category.isthing for category in dataset.categories}
    quality = {name: PanopticQuality(isthing) for name in generators}
    spent: dict[str, list[float]] = {name: [] for name in generators}
    targets = 0
    for example in examples:
        targets += len(example.targets)
        found = {}
        for name, generate in generators.items():
            start = time.process_time()
            labels = generate(
                example.image,
                [target.points.coords for target in example.targets],
                [target.category_id for target in example.targets],
            )
            spent[name].append(time.process_time() - start)
            found[name] = labels
            segments = [
                {"id": number + 1, "category_id": target.category_id}
                for number, target in enumerate(example.targets)
                if (labels == number).any()
            ]
            quality[name].add(example.panoptic_seg, example.segments, labels + 1, segments)
        if pictures is not None:
            _draw(example, found, pictures)
    result = {}
    for name in generators:
        measured = quality[name].result()
        parts = {part: measured[part] and measured[part]["pq"] for part in ("all", "things", "stuff")}
        result[name] = {
            "pq": parts["all"],
            "pq_things": parts["things"],
            "pq_stuff": parts["stuff"],
            "cpu_ms": float(np.median(spent[name])) * 1000 if spent[name] else None,
        }
    return {"images": len(dataset.images), "targets": targets, "generators": result}


def find_splits(data: Path, names: Sequence[str], split: str) -> dict[str, Path]:
    """Folders with panoptic truth: ``data/<name>/<split>`` for the names, for all that there are if none is given.

    Raises
    ------
    InputError
        If there is none, or a named one is missing.
    """
    if not names:
        names = sorted(found.parent.parent.name for found in data.glob(f"*/{split}/panoptic.json"))
        if not names:
            raise InputError(
                f"{data}: no data set with panoptic truth is here; expected FOLDER/{split}/panoptic.json with its"
                f" PNGs and FOLDER/{split}/images, as `pointanno scenes` writes it into FOLDER/{split}"
            )
    for name in names:
        if not (data / name / split / "panoptic.json").is_file():
            raise InputError(
                f"{data / name / split / 'panoptic.json'}: this file is missing; choose another --set or --split"
            )
    return {name: data / name / split for name in names}


def _draw(example: Example, found: Mapping[str, NDArray[np.int32]], folder: Path) -> None:
    """Clicks, truth and each generator's masks side by side; a target has one colour in all of them."""
    from PIL import Image as PillowImage

    zoom = max(1, _WANTED_SIDE // max(example.image.shape[:2]))
    panels = [
        draw_annotations(example.image, [], example.targets, zoom),
        draw_instances(example.image, [i.mask.rle for i in example.instances if i.mask is not None], zoom),
    ]
    for labels in found.values():
        rles = [mask_to_rle(labels == number) for number in range(len(example.targets))]
        panels.append(draw_instances(example.image, rles, zoom))
    folder.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(side_by_side(panels)).save(folder / f"{Path(example.file_name).stem}.png")
