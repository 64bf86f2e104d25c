"""Predictions of a run for a folder of pictures, as one file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import orjson
from tqdm import tqdm

from pointanno.dataset import Image, InstancePrediction
from pointanno.errors import InputError
from pointanno.formats.coco_panoptic import write_panoptic
from pointanno.runs.atomic import replace_file
from pointanno_models.engine import devices
from pointanno_models.engine.prediction import Predictor, prediction_to_results

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pointanno.dataset import PanopticPrediction
    from pointanno.runs import RunFolder


def predict_folder(
    run: RunFolder,
    images: Path,
    out: Path,
    *,
    gt: Path | None = None,
    checkpoint: str = "best",
    device: str = "auto",
    threads: int | None = None,
    on_skip: Callable[[str], None],
) -> dict[str, Any]:
    """Predict every readable picture and write the file at once at the end.

    Parameters
    ----------
    on_skip : function of a sentence
        Called for each picture that is left out.

    Returns
    -------
    dict
        `pictures`, `predictions`, `skipped` (sentences), `checkpoint`, `device`.

    Raises
    ------
    InputError
        If the run has no checkpoint, the folder no picture, or the file cannot be written.
    """
    from pointanno.images import find_images, read_image

    paths = find_images(images)
    if not out.absolute().parent.is_dir():
        raise InputError(f"{out}: the folder does not exist; create it or name another file")
    ids = None if gt is None else _image_ids(gt)
    chosen = devices.choose_device(device)
    devices.set_threads(threads)
    predictor = Predictor(run, checkpoint, chosen)
    skipped: list[str] = []
    entries: list[dict[str, Any]] = []
    panoptic: list[tuple[Image, PanopticPrediction]] = []
    for number, path in enumerate(tqdm(paths, desc="predict", unit="picture", file=sys.stderr), start=1):
        name = path.relative_to(images).as_posix() if path.is_relative_to(images) else path.name
        try:
            image_id = number if ids is None else _known(ids, name, gt)
            image = read_image(path)
        except InputError as error:
            skipped.append(str(error))
            on_skip(f"left out: {error}")
            continue
        prediction = predictor(image)
        if isinstance(prediction, InstancePrediction):
            entries += prediction_to_results(prediction, image_id, name)
        else:
            height, width = image.shape[:2]
            panoptic.append((Image(image_id, name, height, width), prediction))
    done = len(paths) - len(skipped)
    try:
        if panoptic:
            pictures = [image for image, _ in panoptic]
            write_panoptic(out, pictures, predictor.categories, ((image.id, found) for image, found in panoptic))
        else:
            replace_file(out, orjson.dumps(entries))
    except OSError as error:
        raise InputError(
            f"{out}: could not be written ({error.strerror}); an older file of that name is untouched"
        ) from error
    return {
        "pictures": done,
        "predictions": sum(len(p.segments_info) for _, p in panoptic) if panoptic else len(entries),
        "skipped": skipped,
        "checkpoint": predictor.checkpoint_id,
        "device": chosen,
    }


def _image_ids(gt: Path) -> dict[str, int]:
    """Ids by file name from a COCO JSON."""
    try:
        return {str(entry["file_name"]): int(entry["id"]) for entry in orjson.loads(gt.read_bytes())["images"]}
    except OSError as error:
        raise InputError(f"{gt}: --gt could not be read ({error.strerror}); check the path") from error
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{gt}: --gt must be a COCO JSON whose images have id and file_name ({error})") from error


def _known(ids: dict[str, int], name: str, gt: Path | None) -> int:
    if name not in ids:
        raise InputError(f"{name}: {gt} has no image of that file name")
    return ids[name]
