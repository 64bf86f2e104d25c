"""The main job from end to end: pictures, a project, points, exported files, a training, predictions, a score.

Where there is truth, a simulated annotator answers through the same protocols and the same journal as a person
in the window; nothing else of the way is special to the demonstration.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as PillowImage

from pointanno.coords import napari_to_index
from pointanno.errors import InputError
from pointanno.evaluation import evaluate_files
from pointanno.formats import read_dataset
from pointanno.formats.coco_instances import write as write_instances
from pointanno.formats.coco_point import write as write_points
from pointanno.formats.json_file import read_json
from pointanno.formats.pointsup import write as write_pointsup
from pointanno.formats.rle import rle_to_mask
from pointanno.images import find_images, read_image, to_rgb8
from pointanno.overlay import draw_annotations, draw_instances, side_by_side
from pointanno.project import Project
from pointanno.protocols import BoxPoints, SinglePoint
from pointanno.runs import RunFolder, TrainArguments, new_run_path, start_training
from pointanno.scenes import write_scenes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pointanno.dataset import Category, Instance, MaskLabel, PointDataset
    from pointanno.project import ProjectImage

SCENES, SCENE_SIZE = 40, 128
MOST_PICTURES = 40
"""Of a large folder the demonstration takes that many, spread evenly."""
TEST_SHARE = 5
"""Every fifth picture is kept for testing."""
POINTS = 10
SHOWN_SCORE = 0.5
"""Detections below are scored but not drawn."""


@dataclass(slots=True)
class Demo:
    """What was made so far."""

    out: Path
    images: Path
    truth: PointDataset | None
    train_names: list[str] = field(default_factory=list)
    test_names: list[str] = field(default_factory=list)

    @property
    def project_path(self) -> Path:
        """The project that the window opens."""
        return self.out / "demo.pointanno"

    @property
    def exports(self) -> Path:
        """Folder of the exported files."""
        return self.project_path / "exports"


def prepare(data: Path | None, out: Path) -> Demo:
    """Pictures and, where there is one, their truth.

    Parameters
    ----------
    data : Path or None
        Folder of pictures; a truth is looked for as ``panoptic.json`` or ``instances.json`` in it and beside it.
        None draws scenes.
    out : Path
        Folder for everything that the demonstration writes; new or empty.

    Raises
    ------
    InputError
        If `out` is in use or `data` holds no pictures.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: this exists and is not empty; name another folder by --out")
    if data is not None and not data.is_dir():
        raise InputError(f"{data}: there is no such folder; --data takes a folder with pictures")
    out.mkdir(parents=True, exist_ok=True)
    if data is None:
        data = write_scenes(out / "scenes", SCENES, SCENE_SIZE, seed=0)
    images = data / "images" if (data / "images").is_dir() else data
    names = [path.name for path in find_images(images)]
    truth_file = next(
        (
            folder / name
            for folder in (images, images.parent)
            for name in ("panoptic.json", "instances.json")
            if (folder / name).is_file()
        ),
        None,
    )
    demo = Demo(out, images, None if truth_file is None else read_dataset(truth_file))
    if demo.truth is not None:
        known = {image.file_name for image in demo.truth.images}
        names = [name for name in names if name in known]
        if not names:
            raise InputError(
                f"{truth_file}: none of its pictures lies in {images}; put them there or move the file away"
            )
    if len(names) > MOST_PICTURES:
        names = [names[index] for index in np.linspace(0, len(names) - 1, MOST_PICTURES).round().astype(int)]
    demo.test_names = names[TEST_SHARE - 1 :: TEST_SHARE]
    demo.train_names = [name for name in names if name not in demo.test_names] or names
    return demo


def make_project(demo: Demo) -> Project:
    """A new project over the pictures, with the classes of the truth if there is one."""
    categories = () if demo.truth is None else demo.truth.categories
    return Project.create(
        demo.project_path, images=demo.images, categories=categories, points_per_box=POINTS, annotator="simulated"
    )


def annotate(demo: Demo, project: Project, progress: Callable[[int, int], None]) -> int:
    """Let the simulated annotator label the training pictures; returns the number of answers and clicks.

    Parameters
    ----------
    demo : Demo
        With truth.
    project : Project
    progress : function
        Told how many of how many pictures are done.
    """
    assert demo.truth is not None, "only called where there is a truth"
    truth = _Truth(demo.truth)
    categories = {category.id: category for category in project.categories()}
    boxes = BoxPoints(POINTS, int(project.settings["seed"]))
    wanted = set(demo.train_names)
    pictures = [image for image in project.images() if image.file_name in wanted]
    count = 0
    for number, image in enumerate(pictures, start=1):
        count += _label_things(project, image, boxes, truth)
        count += _label_stuff(project, image, categories, truth)
        project.record("complete", {"things": True, "stuff": truth.has_stuff}, image_id=image.id, source="simulated")
        progress(number, len(pictures))
    return count


class _Truth:
    """Instances and stuff masks by file name."""

    def __init__(self, dataset: PointDataset) -> None:
        names = {image.id: image.file_name for image in dataset.images}
        isthing = {category.id: category.isthing for category in dataset.categories}
        self.has_stuff = not all(isthing.values())
        self.things: dict[str, list[tuple[Instance, MaskLabel]]] = {name: [] for name in names.values()}
        self.stuff: dict[str, list[tuple[Instance, MaskLabel]]] = {name: [] for name in names.values()}
        for instance in dataset.instances:
            if instance.mask is not None and not instance.iscrowd:
                kind = self.things if isthing[instance.category_id] else self.stuff
                kind[names[instance.image_id]].append((instance, instance.mask))


def _label_things(project: Project, image: ProjectImage, protocol: BoxPoints, truth: _Truth) -> int:
    """A box around every thing, and the true answer about each of its points."""
    count = 0
    for instance, label in truth.things[image.file_name]:
        try:
            kind, payload = protocol.commit_box(
                image.uid, (image.height, image.width), instance.category_id, instance.box.xyxy
            )
        except InputError:
            continue  # under one pixel wide: a person could not draw it either
        project.record(kind, payload, image_id=image.id, source="simulated")
        mask = rle_to_mask(label.rle)
        for point, (x, y) in enumerate(payload["point_coords"]):
            value = "object" if mask[y, x] else "background"
            answer = {"uid": payload["uid"], "point": point, "value": value}
            project.record("answer", answer, image_id=image.id, source="simulated")
            count += 1
    return count


def _label_stuff(project: Project, image: ProjectImage, categories: dict[int, Category], truth: _Truth) -> int:
    """One click well inside of every stuff region."""
    protocol = SinglePoint()
    count = 0
    for instance, label in truth.stuff[image.file_name]:
        mask = rle_to_mask(label.rle)
        if not mask.any():
            continue
        x, y = _inner_pixel(mask)
        steps = protocol.press(
            project.annotations(image.id), categories[instance.category_id], x, y, (image.height, image.width)
        )
        for kind, payload in steps:
            project.record(kind, payload, image_id=image.id, source="simulated")
            count += 1
    return count


def _inner_pixel(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """The pixel farthest from the outline, (x, y)."""
    from scipy.ndimage import distance_transform_edt

    distance = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    position = np.unravel_index(int(distance.argmax()), mask.shape)
    x, y = napari_to_index(position).tolist()
    return int(x), int(y)


def export(demo: Demo, project: Project) -> list[Path]:
    """The project's annotations as COCO-point JSON and, if there are boxes, in the strict PointSup form."""
    demo.exports.mkdir(parents=True, exist_ok=True)
    wanted = set(demo.train_names)
    ids = [image.id for image in project.images() if image.file_name in wanted]
    dataset = project.dataset(image_ids=ids, with_events=True)
    files = [demo.exports / "points.json"]
    write_points(dataset, files[0])
    if dataset.instances:
        files.append(demo.exports / f"points_n{POINTS}_v1_without_masks.json")
        write_pointsup(dataset, files[1])
    return files


def train(demo: Demo, project: Project, *, steps: int, threads: int | None) -> RunFolder:
    """Start a training on the exported points in the background."""
    arguments = TrainArguments(
        data=demo.exports / "points.json",
        images=demo.images,
        system="point_sup",
        recipe="small",
        steps=steps,
        threads=threads,
    )
    path = new_run_path(project.runs_folder, arguments)
    start_training(arguments, path)
    return RunFolder(path)


def wait_for(run: RunFolder, progress: Callable[[int, int, float | None], None]) -> None:
    """Follow a training to its end.

    Raises
    ------
    InputError
        If it fails; with the sentence of the run and where its log is.
    """
    while True:
        status = run.status()
        progress(status.step, status.steps, status.loss)
        if status.state == "finished":
            return
        if not status.is_active:
            reason = status.message or f"the training ended as {status.state}"
            raise InputError(f"{run.path}: {reason}; its log is {run.log_file}")
        time.sleep(0.5)


def write_test_truth(demo: Demo) -> Path:
    """The truth of the test pictures as COCO instances."""
    assert demo.truth is not None, "only called where there is a truth"
    wanted = set(demo.test_names)
    images = tuple(image for image in demo.truth.images if image.file_name in wanted)
    ids = {image.id for image in images}
    things = {category.id for category in demo.truth.categories if category.isthing}
    test = replace(
        demo.truth,
        images=images,
        instances=tuple(i for i in demo.truth.instances if i.image_id in ids and i.category_id in things),
        targets=(),
    )
    path = demo.exports / "test_truth.json"
    write_instances(test, path)
    return path


def predict_and_score(demo: Demo, run: RunFolder, *, threads: int | None) -> dict[str, Any]:
    """Predict the test pictures in a process of its own, and measure AP against their truth.

    Returns
    -------
    dict
        Of `pointanno.evaluation.evaluate_files`, and `box_fill_ap`: the AP of the same detections with filled boxes.
    """
    pictures = demo.out / "test_pictures"
    pictures.mkdir(exist_ok=True)
    for name in demo.test_names:
        shutil.copyfile(demo.images / name, pictures / name)
    truth, predictions = write_test_truth(demo), demo.exports / "predictions.json"
    command = ["predict", str(run.path), "--images", str(pictures), "-o", str(predictions), "--gt", str(truth)]
    command += [] if threads is None else ["--threads", str(threads)]
    # not in this process: a window may be opened here, and torch must not be where a window is
    done = subprocess.run([sys.executable, "-m", "pointanno", *command], capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise InputError(f"{run.path}: the prediction failed: {lines[-1]}")
    scores = evaluate_files(truth, predictions)
    return {**scores, "box_fill_ap": evaluate_files(truth, predictions, fill_boxes=True)["ap"]}


def draw_pictures(demo: Demo) -> list[Path]:
    """Pictures of some annotated and some predicted images; returns the files."""
    folder = demo.out / "pictures"
    folder.mkdir(exist_ok=True)
    files = []
    labelled = read_dataset(demo.exports / "points.json")
    for name in demo.train_names[:3]:
        ids = {image.id for image in labelled.images if image.file_name == name}
        drawn = draw_annotations(
            to_rgb8(read_image(demo.images / name)),
            [instance for instance in labelled.instances if instance.image_id in ids],
            [target for target in labelled.targets if target.image_id in ids],
        )
        files.append(_save(drawn, folder / f"annotated_{Path(name).stem}.png"))
    predictions = demo.exports / "predictions.json"
    if predictions.is_file():
        results = read_json(predictions)
        for name in demo.test_names[:3]:
            found = [entry for entry in results if entry["file_name"] == name and entry["score"] >= SHOWN_SCORE]
            found.sort(key=lambda entry: -entry["score"])
            image = to_rgb8(read_image(demo.images / name))
            panels = [draw_instances(image, []), draw_instances(image, [entry["segmentation"] for entry in found])]
            files.append(_save(side_by_side(panels), folder / f"predicted_{Path(name).stem}.png"))
    return files


def _save(pixels: NDArray[np.uint8], path: Path) -> Path:
    PillowImage.fromarray(pixels).save(path)
    return path
