"""``pointanno predict``: the predictions of a run for a folder of pictures."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from pointanno.cli.console import Json, emit, note


def predict_command(
    run: Path,
    *,
    images: Path,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    gt: Path | None = None,
    checkpoint: Literal["best", "last"] = "best",
    device: str = "auto",
    threads: int | None = None,
    json: Json = False,
) -> None:
    """Predict all pictures of a folder and write a COCO results list (or COCO panoptic JSON with PNG files).

    Every entry carries the picture's file name besides its id, so that `pointanno evaluate` finds its truth.
    A picture that cannot be read is named and left out; the exit code is 2 then. Large pictures are predicted in
    overlapping tiles (recipe: test.tile, test.tile_overlap) and joined; a large TIFF is not read as a whole.

    Example: `pointanno predict runs/first --images pictures/ -o predictions.json`

    Parameters
    ----------
    run
        Run folder.
    images
        Folder of the pictures.
    out
        File to write.
    gt
        COCO JSON whose image ids to use; without it pictures are numbered from 1 by name.
    checkpoint
        Which weights: the best (the last where there is no best) or the last.
    device
        auto (CUDA, else Apple GPU, else CPU), cpu, cuda, cuda:1, mps.
    threads
        Threads of torch on the CPU; by default OMP_NUM_THREADS, else all available cores.
    """
    from pointanno.project.outputs import check_output
    from pointanno.runs import RunFolder

    check_output(out)
    # by name: the core does not import the engine
    prediction = importlib.import_module("pointanno_models.engine.folder_prediction")
    folder = RunFolder(run)
    report = prediction.predict_folder(
        folder, images, out, gt=gt, checkpoint=checkpoint, device=device, threads=threads, on_skip=note
    )
    for sentence in report["notes"]:
        note(sentence)
    emit(
        {"out": str(out), **report},
        f"{out}: {report['predictions']} predictions for {report['pictures']} pictures",
        as_json=json,
    )
    if report["skipped"]:
        raise SystemExit(2)
