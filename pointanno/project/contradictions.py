"""Where a model says something else than a person: answers, clicks and boxes against predicted segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.errors import InputError
from pointanno.project.agreement import BINARY
from pointanno.project.image_list import EVERY_IMAGE
from pointanno.project.review_list import ReviewItem, ReviewPage, newest_reviews

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pointanno.dataset import Box
    from pointanno.project.project import Project
    from pointanno.project.records import ImageAnnotations, ProjectImage

MODEL = "model"
"""Reason of the review items."""

MIN_SCORE = 0.5
"""Predicted objects below that are no opinion."""

SAME_OBJECT_IOU = 0.5
"""A predicted object of the same class means the box if theirs overlap so far."""


@dataclass(frozen=True, slots=True)
class PredictedObject:
    """One segment of a prediction.

    Attributes
    ----------
    box : (4,) float, XYXY
    covers : callable
        (N, 2) pixels (x, y) to N bool.
    """

    category_id: int
    score: float
    box: NDArray[np.float64]
    covers: Callable[[NDArray[Any]], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class ImagePrediction:
    """What a model sees on one image; `knows_stuff` is false for detectors of things."""

    objects: tuple[PredictedObject, ...]
    knows_stuff: bool = True


def from_label_map(labels: NDArray[Any], segments: Sequence[Mapping[str, Any]]) -> ImagePrediction:
    """Prediction of a preview or of a panoptic PNG.

    Parameters
    ----------
    labels : (H, W) int
        Ids of segments, 0 for void.
    segments : sequence of mapping
        `id`, `category_id`, and `score` where there is one.
    """
    ids = np.array([int(segment["id"]) for segment in segments], dtype=np.int64)
    boxes = _boxes_of(labels, ids)
    objects = []
    for segment, box in zip(segments, boxes, strict=True):
        if box is not None:
            number = int(segment["id"])
            objects.append(
                PredictedObject(
                    int(segment["category_id"]),
                    float(segment.get("score") or 1.0),
                    box,
                    lambda points, number=number: labels[points[:, 1], points[:, 0]] == number,  # type: ignore[misc]
                )
            )
    return ImagePrediction(tuple(objects))


def from_results(entries: Sequence[Mapping[str, Any]]) -> ImagePrediction:
    """Prediction of one image in a COCO results list: instances of things with run-length codes."""
    from pointanno.formats.rle import rle_at

    objects = []
    for entry in entries:
        x, y, width, height = (float(value) for value in entry["bbox"])
        rle = entry["segmentation"]
        objects.append(
            PredictedObject(
                int(entry["category_id"]),
                float(entry.get("score", 1.0)),
                np.array([x, y, x + width, y + height]),
                lambda points, rle=rle: rle_at(rle, points).astype(bool),  # type: ignore[misc]
            )
        )
    return ImagePrediction(tuple(objects), knows_stuff=False)


def contradictions(
    found: ImageAnnotations, prediction: ImagePrediction, *, min_score: float = MIN_SCORE
) -> Iterator[ReviewItem]:
    """Items of an image that contradict a prediction and that nobody has reviewed.

    A box means the predicted object of its class whose box overlaps it most; its answers are compared with that
    mask, and without such an object the whole box is an item. A click is one if no segment of its class covers it.

    Parameters
    ----------
    found : main annotations of the image
    prediction : ImagePrediction
    min_score : predicted objects below it are left out
    """
    done = {key for key, review in newest_reviews(found).items() if review.verdict != "later"}
    objects = [one for one in prediction.objects if one.score >= min_score]
    for item in (*_of_clicks(found, objects, knows_stuff=prediction.knows_stuff), *_of_boxes(found, objects)):
        if (item.uid, item.point) not in done:
            yield item


class PredictionFile:
    """What ``pointanno predict`` wrote: a COCO results list, or panoptic JSON with its folder of PNGs.

    Parameters
    ----------
    path : Path
        The JSON.

    Raises
    ------
    InputError
        If it is neither of both.
    """

    def __init__(self, path: Path) -> None:
        from pointanno.formats.checks import detect_kind
        from pointanno.formats.coco_panoptic import find_panoptic_folder
        from pointanno.formats.coco_records import refuse_errors
        from pointanno.formats.json_file import read_json

        self.path = path
        self._folder: Path | None = None
        self._entries: dict[str | int, list[Mapping[str, Any]]] = {}
        content = read_json(path)
        if isinstance(content, list):
            for number, entry in enumerate(content):
                self._entries.setdefault(self._key_of(entry, number), []).append(entry)
        elif detect_kind(content) == "coco-panoptic":
            refuse_errors(content, "coco-panoptic", str(path))
            self._folder = find_panoptic_folder(path)
            names = {image["id"]: image["file_name"] for image in content["images"]}
            for annotation in content["annotations"]:
                self._entries[names[annotation["image_id"]]] = [annotation]
        else:
            raise InputError(
                f"{path}: neither a COCO results list nor panoptic predictions; give what `pointanno predict` wrote"
            )

    def of(self, image: ProjectImage) -> ImagePrediction | None:
        """The prediction of an image, found by file name, else by its number; None without one.

        Raises
        ------
        InputError
            If its label picture cannot be read or has another size.
        """
        entries = self._entries.get(image.file_name) or self._entries.get(image.id)
        if entries is None:
            return None
        if self._folder is None:
            height, width = entries[0]["segmentation"].get("size", image.image_size)
            self._check_size(self.path, (height, width), image)
            return from_results(entries)
        from pointanno.formats.panoptic_png import read_panoptic_png

        png = self._folder / entries[0]["file_name"]
        labels = read_panoptic_png(png)
        self._check_size(png, (labels.shape[0], labels.shape[1]), image)
        return from_label_map(labels, entries[0]["segments_info"])

    @staticmethod
    def _check_size(file: Path, size: tuple[int, int], image: ProjectImage) -> None:
        if size != image.image_size:
            raise InputError(
                f"{file}: the prediction of {image.file_name} has {size[1]} x {size[0]} pixels, but the picture has "
                f"{image.width} x {image.height}; predict it again"
            )

    def _key_of(self, entry: Any, number: int) -> str | int:
        try:
            if not isinstance(entry["segmentation"]["counts"], (str, bytes, list)) or len(entry["bbox"]) != 4:
                raise TypeError
            key = entry.get("file_name", entry.get("image_id"))
            if not isinstance(key, (str, int)):
                raise TypeError
        except (KeyError, TypeError):
            raise InputError(
                f"{self.path}, entry {number}: expected image_id or file_name, category_id, bbox and a segmentation "
                "in run-length code; give what `pointanno predict` wrote"
            ) from None
        return key


def contradiction_page(
    project: Project, file: PredictionFile, *, after: int = -1, images: int = 50, min_score: float = MIN_SCORE
) -> ReviewPage:
    """What contradicts a file of predictions on the next few images; like `Project.review_page`."""
    found = project.image_page(EVERY_IMAGE, after=after, count=images)
    items: list[ReviewItem] = []
    for image in found:
        if image.clicks or image.boxes:
            prediction = file.of(image)
            if prediction is not None:
                items += contradictions(project.annotations(image.id), prediction, min_score=min_score)
    return ReviewPage(tuple(items), found[-1].position if len(found) == images else None)


def doubtful_items(project: Project, run: Path) -> list[ReviewItem]:
    """Objects whose pseudo-label contradicts their answers, as a training of this project has listed them.

    The list names objects by their number in the data set that the training read, so they are found by image, class
    and box; what was deleted or changed since is left out.

    Raises
    ------
    InputError
        If the run has no such list.
    """
    from pointanno.formats import read_dataset
    from pointanno.runs.folder import RunFolder

    folder = RunFolder(run)
    review = folder.review()
    if review is None:
        raise InputError(f"{run}: this run has no list of doubtful masks; only self-training makes one")
    instances = {one.id: one for one in read_dataset(folder.data_file).instances}
    items: list[ReviewItem] = []
    places: dict[str, int] = {image.file_name: image.id for image in project.images()}
    for doubtful in review.doubtful:
        instance, image_id = instances.get(doubtful.annotation_id), places.get(doubtful.file_name)
        if instance is None or image_id is None:
            continue
        found = project.annotations(image_id)
        done = {key for key, review in newest_reviews(found).items() if review.verdict != "later"}
        for box in found.boxes:
            is_same = box.category_id == instance.category_id and np.allclose(
                box.box.xyxy, instance.box.xyxy, atol=0.01
            )
            if is_same and (box.uid, None) not in done:
                words = f"the mask contradicts {doubtful.contradicted} of {doubtful.answered} answers"
                note = "the model saw no object" if doubtful.is_empty else words
                items.append(ReviewItem(image_id, box.uid, None, MODEL, note=note))
                break
    return items


def runs_with_doubts(project: Project) -> list[Path]:
    """Runs of a project that list doubtful masks, the newest first."""
    from pointanno.runs.review import REVIEW

    found = {path.parent.parent.parent for path in project.runs_folder.glob(f"*/stages/*/{REVIEW}")}
    return sorted(found, key=lambda run: run.stat().st_mtime, reverse=True)


def _of_clicks(
    found: ImageAnnotations, objects: Sequence[PredictedObject], *, knows_stuff: bool
) -> Iterator[ReviewItem]:
    """Clicks that no segment of their class covers, with the class that is there instead."""
    clicks = [one for one in found.clicks if one.status == "object" and (one.isthing or knows_stuff)]
    if not clicks:
        return
    points = np.array([(one.x, one.y) for one in clicks])
    covered = [one.covers(points) for one in objects]
    for index, click in enumerate(clicks):
        here = [one for one, mask in zip(objects, covered, strict=True) if mask[index]]
        if all(one.category_id != click.category_id for one in here):
            best = max(here, key=lambda one: one.score, default=None)
            yield ReviewItem(
                found.image_id, click.uid, None, MODEL, click.status, "nothing" if best is None else "other class",
                click.time_ms, category_id=None if best is None else best.category_id,
            )  # fmt: skip


def _of_boxes(found: ImageAnnotations, objects: Sequence[PredictedObject]) -> Iterator[ReviewItem]:
    """Answers that the mask of the same object contradicts; boxes where the model sees no such object."""
    for box in found.boxes:
        answered = [point for point, answer in enumerate(box.answers) if answer in BINARY]
        if box.iscrowd or not answered:
            continue
        same = [(_iou(box.box, one.box), one) for one in objects if one.category_id == box.category_id]
        overlap, best = max(same, key=lambda one: one[0], default=(0.0, None))
        if best is None or overlap < SAME_OBJECT_IOU:
            yield ReviewItem(found.image_id, box.uid, None, MODEL, other="nothing", time_ms=box.box_time_ms)
            continue
        inside = best.covers(box.point_coords[answered])
        for point, is_object in zip(answered, inside.tolist(), strict=True):
            other = BINARY[0] if is_object else BINARY[1]
            if box.answers[point] != other:
                value = box.answers[point]
                yield ReviewItem(found.image_id, box.uid, point, MODEL, value, other, box.times_ms[point])


def _boxes_of(labels: NDArray[Any], ids: NDArray[np.int64]) -> list[NDArray[np.float64] | None]:
    """Tight XYXY boxes of segments; None for one without pixels."""
    from scipy.ndimage import find_objects

    order = np.argsort(ids)
    if not len(ids):
        return []
    # ids of panoptic PNGs reach 2**24: numbered anew, the table of boxes stays small
    place = np.searchsorted(ids[order], labels)
    place = np.minimum(place, len(ids) - 1)
    dense = np.where(ids[order][place] == labels, place + 1, 0)
    boxes: list[NDArray[np.float64] | None] = [None] * len(ids)
    for index, slices in enumerate(find_objects(dense, max_label=len(ids))):
        if slices is not None:
            rows, columns = slices
            boxes[order[index]] = np.array([columns.start, rows.start, columns.stop, rows.stop], dtype=np.float64)
    return boxes


def _iou(box: Box, other: NDArray[np.float64]) -> float:
    """Intersection over union of two boxes."""
    x0, y0, x1, y1 = box.xyxy
    width, height = min(x1, other[2]) - max(x0, other[0]), min(y1, other[3]) - max(y0, other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    union = (x1 - x0) * (y1 - y0) + (other[2] - other[0]) * (other[3] - other[1]) - shared
    return float(shared / union)
