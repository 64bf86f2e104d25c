"""``pointanno train``: a run folder is created and trained in this terminal."""

from __future__ import annotations

import importlib
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from pointanno.cli.console import Json, emit, note
from pointanno.errors import InputError

if TYPE_CHECKING:
    from pointanno.runs import RunFolder, TrainArguments
    from pointanno.runs.events import Event
    from pointanno.runs.ranks import Ranks

_CREATION_TIMEOUT_S = 120.0
"""How long the other processes wait until the first has made the run folder."""


def train_command(
    data: Path | None = None,
    *,
    images: Path | None = None,
    system: str = "point_sup",
    recipe: str = "small",
    overrides: Annotated[list[str] | None, Parameter(name="--set", negative=(), consume_multiple=True)] = None,
    supervision: Literal["points", "masks"] | None = None,
    val: Path | None = None,
    val_images: Path | None = None,
    val_limit: int = 32,
    best: Literal["ap", "pq", "point_accuracy", "newest"] | None = None,
    steps: int | None = None,
    seed: int = 0,
    weights: Path | None = None,
    init: Path | None = None,
    device: str = "auto",
    devices: int = 1,
    threads: int | None = None,
    deterministic: Annotated[bool, Parameter(negative=())] = False,
    nice: int = 0,
    run: Annotated[Path | None, Parameter(name=["--run", "--run-folder"])] = None,
    resume: Annotated[bool, Parameter(negative=())] = False,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> None:
    """Train a system from points (or masks) and keep everything in a run folder.

    Ctrl-C, `pointanno stop RUN` and the window's Stop button end it after the current step with a
    checkpoint, from which `--resume` goes on as if nothing had happened.

    Example: `pointanno train points.json --images pictures/ --system point_sup --recipe small --run runs/first`

    Parameters
    ----------
    data
        COCO-point JSON; for `--supervision masks` COCO instances or panoptic.
    images
        Folder of the pictures.
    system
        Name of the training system.
    recipe
        Settings: "small", "paper" or a TOML file with the same keys.
    overrides
        Changed settings, as in `--set train.batch_size=8 train.learning_rate=0.001`.
    supervision
        What to learn from; by default what the system learns from.
    val
        COCO instances with masks: validate during the training, and keep the checkpoint with the best
        score as "best". Without it, the newest one is "best".
    val_images
        Folder of the validation pictures.
    val_limit
        Validation pictures used each time, spread evenly over the file; 0 for all. Without `--val` so many
        training pictures tell how well the masks agree with the answers.
    best
        What decides which checkpoint is kept as "best": ap, pq, point_accuracy (answered points of `--val` that
        its masks get right) or newest. By default what scores the system, or the points if `--val` has only those.
    steps
        Length of every training stage instead of the recipe's.
    seed
        All randomness follows from it.
    weights
        Local file of backbone weights, where nothing can be downloaded.
    init
        Run folder whose best weights to start from; layers that do not fit start fresh.
    device
        auto (CUDA, else Apple GPU, else CPU), cpu, cuda, cuda:1, mps.
    devices
        GPUs of this machine to train on. For several machines start the command by Slurm's srun, one task a
        GPU, or by torchrun; there call the option `--run` by its other name `--run-folder`, since torchrun
        takes `--run` for its own.
    threads
        Threads of torch on the CPU; by default OMP_NUM_THREADS, else all available cores.
    deterministic
        Only operations that give the same bits each time, slower on a GPU; one that has no such form there ends
        the training with its name. On the CPU with `--threads 1` two trainings are the same without it.
    nice
        Lower the priority by so much (10 keeps a window beside it smooth).
    run
        Run folder to create; by default a new one in runs/.
    resume
        Go on with the run folder `--run` from its last checkpoint.
    dry_run
        Create nothing: check data, pictures and disk, make a few steps on the device, and tell seconds a step,
        memory and how long the training will take. Exits with 2 if it cannot work.
    """
    if dry_run and resume:
        raise InputError("--dry-run and --resume exclude each other: a run that was begun has been tried")
    # `devices` go to torchrun, which starts the worker once for each
    arguments = _arguments(
        data=data,
        images=images,
        system=system,
        recipe=recipe,
        overrides=tuple(overrides or ()),
        supervision=supervision,
        val=val,
        val_images=val_images,
        val_limit=val_limit,
        best=best,
        steps=steps,
        seed=seed,
        weights=weights,
        init=init,
        device=device,
        devices=devices,
        threads=threads,
        deterministic=deterministic,
        is_resumed=resume,
    )
    if dry_run:
        if nice:
            from pointanno.runs.process import lower_priority

            lower_priority(nice)
        _rehearse(arguments, run, as_json=json)
        return
    is_first = _this_process().is_first
    folder = _resumed_run(run, arguments) if resume else _created_run(run, arguments, is_first=is_first)
    if nice:
        from pointanno.runs.process import lower_priority

        lower_priority(nice)
    if is_first:
        note(f"run folder: {folder.path}")
    began = time.perf_counter()
    if folder.arguments().devices > 1 and not _this_process().launcher:
        result = _train_on_several(folder)
    elif resume or _this_process().launcher:
        result = _train_here(folder, with_bar=is_first)
    else:
        result = _train_new_here(folder)
    if not is_first:
        return
    result = {"run": str(folder.path), **result, "seconds": round(time.perf_counter() - began, 2)}
    done = "finished" if result["reason"] == "finished" else "stopped"
    text = f"{done} at step {result['step']} of {result['steps']}: {folder.path}"
    if done == "stopped":
        text += f"\ngo on with: pointanno train --resume --run {folder.path}"
    review = folder.review()
    if review is not None:
        result["review"] = {"labelled": review.labelled, "doubtful": len(review.doubtful)}
        text += (
            f"\npseudo masks: {review.labelled}, of which {len(review.doubtful)} contradict more than "
            f"{review.max_disagreement:.0%} of their answers; look at them: {folder.stages_folder}"
        )
    emit(result, text, as_json=json)


def _arguments(*, data: Path | None, images: Path | None, is_resumed: bool, **options: Any) -> TrainArguments:
    """The options as a record; data and pictures may be left out when a run is resumed."""
    from pointanno.runs import TrainArguments

    if not is_resumed:
        if data is None:
            raise InputError("DATA.json is missing: `pointanno train DATA.json --images FOLDER`")
        if images is None:
            raise InputError("--images is missing: name the folder that holds the pictures")
    return TrainArguments(data=data or Path(), images=images or Path(), **options)


def arguments_from_words(words: list[str]) -> TrainArguments:
    """The record for the words of a command line, as the window and scripts may hold them.

    Raises
    ------
    InputError
        If a word is not understood.
    """
    from cyclopts import App, CycloptsError

    parser = App(name="train", help_flags=(), version_flags=())
    parser.default(train_command)
    try:
        _, bound, _ = parser.parse_args(words, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        raise InputError(f"the options of the training are not understood: {error}") from error
    given = dict(bound.arguments)
    for name in ("nice", "run", "resume", "dry_run", "json"):
        given.pop(name, None)
    data, images = given.pop("data", None), given.pop("images", None)
    given["overrides"] = tuple(given.get("overrides") or ())
    return _arguments(data=data, images=images, is_resumed=False, **given)


def _rehearse(arguments: TrainArguments, run: Path | None, *, as_json: bool) -> None:
    """Findings, and some steps if nothing stands against it; nothing is kept."""
    from dataclasses import asdict

    from pointanno.runs import new_run_path
    from pointanno.runs.preflight import Finding, check_dry_step, check_training

    folder = run or new_run_path(Path("runs"), arguments)
    checked = check_training(arguments, folder.absolute())
    tried: dict[str, Any] | None = None
    lines = [f"{finding.level}: {finding.sentence}" for finding in checked.findings]
    if not checked.has_errors:
        # by name: the core does not import the engine
        try:
            made = importlib.import_module("pointanno_models.engine.dry_step").dry_step(arguments)
        except InputError as error:
            found, told = [Finding("error", "run", str(error))], []
        else:
            tried = asdict(made)
            found, told = list(check_dry_step(tried, folder.absolute())), [made.sentence()]
        checked.findings += found
        lines += [f"{finding.level}: {finding.sentence}" for finding in found] + told
    result = {
        "ok": not checked.has_errors,
        "findings": [asdict(finding) for finding in checked.findings],
        "data": checked.facts,
        "step": tried,
    }
    emit(result, "\n".join(lines), as_json=as_json)
    if checked.has_errors:
        raise SystemExit(2)


def _created_run(run: Path | None, arguments: TrainArguments, *, is_first: bool) -> RunFolder:
    """A new run folder; of several processes the first makes it and the others wait."""
    from pointanno.runs import RunFolder, create_run, new_run_path

    if run is None:
        if launcher := _this_process().launcher:
            raise InputError(f"--run is missing: under {launcher} all processes must be told the same run folder")
        run = new_run_path(Path("runs"), arguments)
    if is_first:
        return create_run(arguments, run)
    deadline = time.monotonic() + _CREATION_TIMEOUT_S
    while not (run / "environment.json").is_file():
        if time.monotonic() > deadline:
            raise InputError(f"{run}: the first process did not create the run folder; see its message")
        time.sleep(0.2)
    return RunFolder(run)


def _resumed_run(run: Path | None, arguments: TrainArguments) -> RunFolder:
    """An existing run folder, ready to go on; device, threads and the place of the pictures may change."""
    from dataclasses import replace

    from pointanno.runs import RunFolder, check_resumable
    from pointanno.runs.atomic import replace_json

    if run is None:
        raise InputError("--resume needs --run, the run folder to go on with")
    folder = RunFolder(run)
    if not _this_process().is_first:
        return folder
    check_resumable(folder)
    folder.clear_control()
    before = folder.arguments()
    changed = replace(
        before,
        device=before.device if arguments.device == "auto" else arguments.device,
        devices=before.devices if arguments.devices == 1 else arguments.devices,
        threads=arguments.threads or before.threads,
        images=before.images if arguments.images == Path() else arguments.images.resolve(),
        val_images=before.val_images if arguments.val_images is None else arguments.val_images.resolve(),
    )
    if changed != before:
        environment = folder.environment()
        environment |= {"arguments": changed.to_dict(), "images": str(changed.images)}
        replace_json(folder.environment_file, environment)
    note("resuming: recipe, data, seed and length are those of the run; other options are not looked at")
    return folder


def _this_process() -> Ranks:
    """The place of this process among those that train together."""
    from pointanno.runs.ranks import this_process

    return this_process()


def _train_here(folder: RunFolder, *, with_bar: bool) -> dict[str, Any]:
    """Train in this process with a progress bar on standard error."""
    # by name: the core does not import the engine
    worker = importlib.import_module("pointanno_models.engine.worker")
    if not with_bar:
        return dict(worker.train(folder))
    with _Bar() as bar:
        return dict(worker.train(folder, listener=bar))


def _train_new_here(folder: RunFolder) -> dict[str, Any]:
    """As `_train_here`; a run that could not even begin leaves no folder, so that its name stays free."""
    try:
        return _train_here(folder, with_bar=True)
    except InputError:
        if folder.checkpoint("last") is None and not folder.metrics_file.exists():
            shutil.rmtree(folder.path, ignore_errors=True)
        raise


def _train_on_several(folder: RunFolder) -> dict[str, Any]:
    """Train under torchrun, one process for each device."""
    worker = importlib.import_module("pointanno_models.engine.worker")
    note(f"starting {folder.arguments().devices} processes; watch them with: pointanno runs {folder.path}")
    code = worker.train_on_several(folder, folder.arguments().devices)
    status = folder.status()
    if code or status.state == "failed":
        raise InputError(status.message or f"{folder.log_file}: the training failed; the reason is in that file")
    return {
        "reason": status.state,
        "stage": status.stage,
        "step": status.step,
        "steps": status.steps,
        "best": status.best,
    }


class _Bar:
    """Events as a progress bar with notes above it."""

    def __init__(self) -> None:
        self._bar: Any = None

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, event: Event) -> None:
        from tqdm import tqdm

        kind = event["kind"]
        if kind == "hello":
            tqdm.write(f"{event['system']} on {event['device']}", file=sys.stderr)
        elif kind == "stage":
            if self._bar is not None:
                self._bar.close()
            self._bar = tqdm(
                total=event["steps"],
                initial=event["step"],
                desc=event["stage"],
                unit="step",
                file=sys.stderr,
                mininterval=0.5,
            )
        elif kind == "step" and self._bar is not None:
            if event["loss"] is not None:  # a stage that trains nothing has none
                self._bar.set_postfix(loss=f"{event['loss']:.3f}", refresh=False)
            self._bar.total = event["steps"]
            self._bar.update(event["step"] - self._bar.n)
        elif kind == "val":
            shown = "  ".join(f"{name} {value:.3f}" for name, value in event["values"].items())
            which = "pictures" if event.get("is_held_out", True) else "training pictures"
            tqdm.write(f"step {event['step']}: {shown} ({event['pictures']} {which})", file=sys.stderr)
        elif kind == "warn":
            tqdm.write(f"warning: {event['message']}", file=sys.stderr)
