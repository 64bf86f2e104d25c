"""The stage "pseudo_label": every annotated box of the data set gets a mask, picture by picture.

Each picture is a line of `LINES`; a stage that was stopped or killed goes on after the last whole line. At the end
the lines become `PSEUDO_MASKS`, the data set with masks, which any reader of COCO files takes, and `REVIEW`, the
list of objects whose masks contradict their answers.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from pointanno.dataset import DOUBTFUL_PSEUDO_LABEL, PSEUDO_LABEL, MaskLabel
from pointanno.errors import InputError
from pointanno.formats import coco_point
from pointanno.formats.rle import box_to_rle
from pointanno.mask_patches import patch_to_rle
from pointanno.runs.atomic import replace_json
from pointanno.runs.review import REVIEW
from pointanno_models.data.records import contiguous_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pointanno.dataset import Image, Instance, PointDataset
    from pointanno_models.engine.system import StageContext
    from pointanno_models.point_sup.pseudo_labels import PseudoMask

    MakeMasks = Callable[[Image, Sequence[Instance]], Sequence[PseudoMask]]

PSEUDO_MASKS, LINES = "pseudo_masks.json", "pictures.jsonl"

_KEYS = frozenset({"id", "rle", "contradicted", "answered", "is_empty", "share"})
"""Of each instance in a line."""

_MANY = 0.1
"""Beyond this share of doubtful masks the user is warned on the spot."""


def instances_to_label(dataset: PointDataset) -> dict[int, list[Instance]]:
    """By picture: objects with a box but without a mask. A mask that a person made is better than any of ours."""
    things = contiguous_ids(dataset.categories)
    of_image: dict[int, list[Instance]] = {}
    for instance in dataset.instances:
        box = instance.box
        is_usable = not instance.iscrowd and box.x1 - box.x0 >= 1 and box.y1 - box.y0 >= 1
        if is_usable and instance.mask is None and instance.category_id in things:
            of_image.setdefault(instance.image_id, []).append(instance)
    return of_image


def label_pictures(context: StageContext, make_masks: MakeMasks, *, max_disagreement: float) -> None:
    """Do the stage, or what is left of it.

    Parameters
    ----------
    context : StageContext
    make_masks : function of an image and its instances
        One mask for each.
    max_disagreement : float in [0, 1]
        A mask that contradicts more of its answers is doubtful, and so is an empty one.

    Raises
    ------
    InputError
        If not one mask can be learnt from.
    """
    of_image = instances_to_label(context.dataset)
    images = [image for image in context.dataset.images if image.id in of_image]
    if (context.folder / PSEUDO_MASKS).is_file():
        context.progress(len(images), len(images))
        return
    lines = context.folder / LINES
    done = _read_lines(lines)
    with lines.open("ab") as file:
        for number, image in enumerate(images):
            if image.id in done:
                continue
            context.progress(number, len(images))
            if context.is_stop_asked():
                return
            masks = make_masks(image, of_image[image.id])
            done[image.id] = [
                {
                    "id": instance.id,
                    "rle": patch_to_rle(made.mask, (image.height, image.width)),
                    "contradicted": made.contradicted,
                    "answered": made.answered,
                    "is_empty": made.is_empty,
                    "share": made.share,
                }
                for instance, made in zip(of_image[image.id], masks, strict=True)
            ]
            file.write(orjson.dumps({"image_id": image.id, "instances": done[image.id]}) + b"\n")
            file.flush()
        os.fsync(file.fileno())
    found = {entry["id"]: entry for entries in done.values() for entry in entries}
    doubtful = {number for number, entry in found.items() if entry["is_empty"] or entry["share"] > max_disagreement}
    _write_review(context, found, doubtful, max_disagreement)
    if found and len(doubtful) == len(found):
        can_be_accepted = any(not entry["is_empty"] for entry in found.values())
        advice = ", or accept more by --set self_training.max_disagreement=1" if can_be_accepted else ""
        raise InputError(
            f"not one of {len(found)} pseudo masks agrees with its answers (see {context.folder / REVIEW}): the "
            f"network has not learnt the objects; train the first stage longer{advice}"
        )
    if len(doubtful) > _MANY * len(found):
        context.warn(
            f"{len(doubtful)} of {len(found)} pseudo masks contradict more than {max_disagreement:.0%} of their "
            "answers; they teach no mask and are listed for review"
        )
    # the last file marks the stage as complete
    coco_point.write(with_masks(context.dataset, found, doubtful), context.folder / PSEUDO_MASKS, with_events=False)
    lines.unlink()
    context.progress(len(images), len(images))


def _read_lines(path: Path) -> dict[int, list[dict[str, Any]]]:
    """Pictures that were done before, by id; the file is cut off at a line that a crash left half written."""
    if not path.is_file():
        return {}
    done: dict[int, list[dict[str, Any]]] = {}
    whole = 0
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            entry = orjson.loads(line)
            is_whole = line.endswith(b"\n") and all(_KEYS <= instance.keys() for instance in entry["instances"])
            number = int(entry["image_id"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
            is_whole = False
        if not is_whole:
            break
        done[number] = entry["instances"]
        whole += len(line)
    os.truncate(path, whole)
    return done


def with_masks(dataset: PointDataset, found: dict[int, dict[str, Any]], doubtful: set[int]) -> PointDataset:
    """The data set with a mask for every instance.

    An object that got none (a crowd region, a box below a pixel) has its box filled, marked as doubtful like masks
    that contradict the answers: such masks complete the file, but no mask is learnt from them.
    """
    sizes = {image.id: (image.height, image.width) for image in dataset.images}
    instances = []
    for instance in dataset.instances:
        entry = found.get(instance.id)
        if entry is not None:
            source = DOUBTFUL_PSEUDO_LABEL if instance.id in doubtful else PSEUDO_LABEL
            instance = replace(instance, mask=MaskLabel(entry["rle"], source), area=None)
        elif instance.mask is None:
            filled = box_to_rle(instance.box.xyxy, sizes[instance.image_id])
            instance = replace(instance, mask=MaskLabel(filled, DOUBTFUL_PSEUDO_LABEL), area=None)
        instances.append(instance)
    return replace(dataset, instances=tuple(instances))


def _write_review(
    context: StageContext, found: dict[int, dict[str, Any]], doubtful: set[int], max_disagreement: float
) -> None:
    """What a person should look at, the worst first."""
    names = {image.id: image.file_name for image in context.dataset.images}
    items = []
    for instance in context.dataset.instances:
        if instance.id not in doubtful:
            continue
        entry = found[instance.id]
        items.append(
            {
                "image_id": instance.image_id,
                "file_name": names[instance.image_id],
                "annotation_id": instance.id,
                "category_id": instance.category_id,
                "contradicted": entry["contradicted"],
                "answered": entry["answered"],
                "share": round(entry["share"], 4),
                "is_empty": entry["is_empty"],
            }
        )
    items.sort(key=lambda item: (-item["share"], -item["contradicted"], item["annotation_id"]))
    replace_json(
        context.folder / REVIEW,
        {
            "labelled": len(found),
            "answered": sum(entry["answered"] for entry in found.values()),
            "contradicted": sum(entry["contradicted"] for entry in found.values()),
            "max_disagreement": max_disagreement,
            "doubtful": items,
        },
    )
