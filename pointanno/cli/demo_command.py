"""``pointanno demo``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from pointanno.cli.console import Json, emit, note

if TYPE_CHECKING:
    from pointanno.demo import Demo
    from pointanno.project import Project
    from pointanno.runs import RunFolder


def demo_command(
    *,
    data: Path | None = None,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    no_window: Annotated[bool, Parameter(negative=())] = False,
    steps: int = 300,
    threads: int | None = None,
    json: Json = False,
) -> None:
    """Do the whole main job in one go: pictures, project, points, exported files, training, predictions.

    Pictures with a truth beside them (`panoptic.json` or `instances.json`, as generated scenes have) are labelled by
    a simulated annotator, through the same protocols and the same journal as by a person. Without a truth the
    pictures are yours to label: the command makes the project, and the window or `pointanno open` goes on from there.
    With a display the window opens on the project while the training runs; without one, everything is
    done here and pictures are written.

    Example: `pointanno demo --no-window --out first_look`

    Parameters
    ----------
    data
        Folder of pictures; by default scenes are generated.
    out
        New or empty folder for everything that is written; by default pointanno_demo, numbered if that exists.
    no_window
        Do not open a window even if there is a display.
    steps
        Length of the training.
    threads
        Threads of torch on the CPU.
    """
    from pointanno import demo as job

    demo = job.prepare(data, (out or _free_folder()).absolute())
    note(f"1/6 pictures: {len(demo.train_names)} to label, {len(demo.test_names)} to test, from {demo.images}")
    with_window = not no_window and _has_display()
    with job.make_project(demo) as project:
        if demo.truth is None:
            job.export(demo, project)
            result, text = _without_truth(demo, project, with_window=with_window)
            run = None
        else:
            run = _label_and_train(demo, project, steps=steps, threads=threads)
            result, text = {"project": str(project.path), "run": str(run.path)}, ""
    if with_window:
        note("opening the window; the training goes on beside it" if run else "opening the window")
        import importlib

        importlib.import_module("napari_pointanno.application").run(demo.project_path)
    if run is not None:
        result, text = _finish(demo, run, threads=threads)
    emit(result, text, as_json=json)


def _label_and_train(demo: Demo, project: Project, *, steps: int, threads: int | None) -> RunFolder:
    from tqdm import tqdm

    from pointanno import demo as job

    with tqdm(total=len(demo.train_names), desc="annotating", unit="pictures", file=sys.stderr) as bar:
        answers = job.annotate(demo, project, lambda done, _total: bar.update(done - bar.n))
    note(f"2/6 project: {answers} answers and clicks recorded in {project.path}")
    files = job.export(demo, project)
    note("3/6 exported: " + ", ".join(str(file) for file in files))
    run = job.train(demo, project, steps=steps, threads=threads)
    note(f"4/6 training started: {run.path}")
    return run


def _finish(demo: Demo, run: RunFolder, *, threads: int | None) -> tuple[dict[str, Any], str]:
    from tqdm import tqdm

    from pointanno import demo as job

    with tqdm(desc="training", unit="steps", file=sys.stderr) as bar:

        def show(step: int, steps: int, loss: float | None) -> None:
            bar.total = steps or None
            bar.set_postfix_str("" if loss is None else f"loss {loss:.3f}", refresh=False)
            bar.update(step - bar.n)

        job.wait_for(run, show)
    note("5/6 predicting the test pictures")
    scores = job.predict_and_score(demo, run, threads=threads)
    pictures = job.draw_pictures(demo)
    note("6/6 pictures: " + ", ".join(str(picture) for picture in pictures))
    result = {
        "project": str(demo.project_path),
        "run": str(run.path),
        "exports": str(demo.exports),
        "pictures": [str(picture) for picture in pictures],
        "ap": scores["ap"],
        "ap50": scores["ap50"],
        "box_fill_ap": scores["box_fill_ap"],
    }
    text = (
        f"mask AP {scores['ap']:.3f}, AP50 {scores['ap50']:.3f} on {len(demo.test_names)} test pictures "
        f"(the same detections with filled boxes: AP {scores['box_fill_ap']:.3f})\n"
        f"pictures:  {pictures[0].parent}\n"
        f"project:   {demo.project_path}   (look at it: pointanno open {demo.project_path})\n"
        f"exported:  {demo.exports}\n"
        f"training:  {run.path}"
    )
    return result, text


def _without_truth(demo: Demo, project: Project, *, with_window: bool) -> tuple[dict[str, Any], str]:
    text = f"project: {project.path} with {project.image_count()} pictures and no labels yet"
    if not with_window:
        text += "\nthere is no truth beside the pictures, so nobody could be simulated; label some: "
        text += f"pointanno open {project.path}"
    return {"project": str(project.path), "pictures": project.image_count()}, text


def _free_folder() -> Path:
    number = 1
    while True:
        folder = Path("pointanno_demo" if number == 1 else f"pointanno_demo_{number}")
        if not folder.exists():
            return folder
        number += 1


def _has_display() -> bool:
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
