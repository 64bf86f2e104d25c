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
from pointanno_models.data.records import plane_of
from pointanno_models.engine import devices
from pointanno_models.engine.prediction import Predictor, prediction_to_results

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
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
        `pictures`, `predictions`, `skipped` and `notes` (sentences), `checkpoint`, `device`.

    Raises
    ------
    InputError
        If the run has no checkpoint, the folder no picture, or the file cannot be written.
    """
    from pointanno.images import find_images, opened_image, read_stack

    paths = find_images(images)
    if not out.absolute().parent.is_dir():
        raise InputError(f"{out}: the folder does not exist; create it or name another file")
    known = None if gt is None else _images_of(gt)
    chosen = devices.choose_device(device)
    devices.set_threads(threads)
    predictor = Predictor(run, checkpoint, chosen)
    skipped: list[str] = []
    notes: list[str] = []
    entries: list[dict[str, Any]] = []
    panoptic: list[tuple[Image, PanopticPrediction]] = []
    bar = tqdm(_pictures(images, paths, known), desc="predict", unit="picture", file=sys.stderr)
    for number, path in enumerate(bar, start=1):
        name = path.relative_to(images).as_posix() if path.is_relative_to(images) else path.name
        try:
            image_id, plane = (number, None) if known is None else _known(known, name, gt)
            stack = read_stack(path)
            with opened_image(path, plane) as image:
                prediction = predictor(image, on_tile=lambda done, total: _show_tile(bar, done, total))
                height, width = image.shape[:2]
        except InputError as error:
            skipped.append(str(error))
            on_skip(f"left out: {error}")
            continue
        if stack and plane is None:
            planes = ", ".join(f"{axis}: {length}" for axis, length in stack.items())
            notes.append(f"{path}: the file holds a stack of planes ({planes}); the first one was predicted")
        if isinstance(prediction, InstancePrediction):
            entries += prediction_to_results(prediction, image_id, name)
        else:
            panoptic.append((Image(image_id, name, height, width), prediction))
    done = number - len(skipped)
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
        "notes": notes,
        "checkpoint": predictor.checkpoint_id,
        "device": chosen,
    }


def _pictures(images: Path, paths: Sequence[Path], known: Mapping[str, Image] | None) -> list[Path]:
    """The files, or of a stack those planes that are known by names of their own."""
    from pointanno.images import file_of

    planes: dict[Path, list[Path]] = {}
    for name in known or ():
        file = file_of(images / name)
        if file != images / name:
            planes.setdefault(file, []).append(images / name)
    return [picture for path in paths for picture in planes.get(path, [path])]


def _show_tile(bar: tqdm[Path], done: int, total: int) -> None:
    """Say how far a large picture is."""
    bar.set_postfix_str(f"tile {done} of {total}" if done < total else "")


def _images_of(gt: Path) -> dict[str, Image]:
    """Images by file name from a COCO JSON."""
    try:
        entries = orjson.loads(gt.read_bytes())["images"]
        listed = [
            Image(int(entry["id"]), str(entry["file_name"]), 0, 0, extra={"pointanno": entry.get("pointanno")})
            for entry in entries
        ]
    except OSError as error:
        raise InputError(f"{gt}: --gt could not be read ({error.strerror}); check the path") from error
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{gt}: --gt must be a COCO JSON whose images have id and file_name ({error})") from error
    known: dict[str, Image] = {}
    for image in listed:
        if image.file_name in known:
            raise InputError(
                f"{gt}: --gt names {image.file_name} for the images {known[image.file_name].id} and {image.id}, but "
                "predictions are told apart by file name; save every plane of a stack as a file of its own"
            )
        known[image.file_name] = image
    return known


def _known(known: dict[str, Image], name: str, gt: Path | None) -> tuple[int, Mapping[str, int] | None]:
    """Id and plane of a picture."""
    if name not in known:
        raise InputError(f"{name}: {gt} has no image of that file name")
    return known[name].id, plane_of(known[name])
