"""The controller of training: starts runs on the open project and watches run folders. Knows no torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_pointanno._models.curves import curve_of, duration
from napari_pointanno._views.train_view import RunPanel, SystemChoice, TrainForm, TrainView
from pointanno.errors import InputError
from pointanno.formats import coco_point
from pointanno.project import Project
from pointanno.runs import RunFolder, RunStatus, TrainArguments, list_runs, new_run_path, resume, start_training
from pointanno.systems import available_systems, load_system

if TYPE_CHECKING:
    from collections.abc import Mapping

DEVICES = ["auto", "cpu", "cuda", "mps"]
LOG_LINES = 12
RUNS_EVERY = 8
"""Ticks between two looks into the runs folder, for runs that were started elsewhere."""


class TrainController:
    """Shows one run at a time; attaches to those that were started earlier or by someone else."""

    run_changed = Signal(object)
    """The `RunFolder` shown, or None."""
    checkpoint_changed = Signal(str)
    """Id of a new checkpoint of the run shown."""

    def __init__(self, view: TrainView) -> None:
        self.view = view
        self.project: Project | None = None
        self.run: RunFolder | None = None
        self._lines = -1
        self._ticks = 0
        self._checkpoint: str | None = None
        self._last_state = ""
        view.start_requested.connect(self.start)
        view.stop_requested.connect(self.stop)
        view.resume_requested.connect(self.resume)
        view.run_chosen.connect(self.choose)
        view.ticked.connect(self.tick)
        view.show_systems(self._systems(), DEVICES)
        self.set_project(None)

    def _systems(self) -> list[SystemChoice]:
        """Installed systems; one that cannot be described is left out with its reason."""
        choices = []
        for name in available_systems():
            try:
                descriptor = load_system(name)
                choices.append(SystemChoice(descriptor.name, descriptor.title, descriptor.recipes()))
            except (InputError, ImportError, OSError) as error:
                self.view.notify(f"system {name}: {error}")
        return choices

    def set_project(self, project: Project | None) -> None:
        """Another project was opened, or it was closed; running trainings go on."""
        self.project = project
        self.view.show_ready(project is not None, "" if project is not None else "Open a project first.")
        names = self._run_names()
        self.choose(self._most_interesting(names))

    def _run_names(self) -> list[str]:
        if self.project is None or not self.project.runs_folder.is_dir():
            return []
        return [run.name for run in reversed(list_runs(self.project.runs_folder))]

    def _most_interesting(self, names: list[str]) -> str:
        """The run that is active, else the newest."""
        assert self.project is not None or not names
        for name in names:
            if self.project is not None and RunFolder(self.project.runs_folder / name).status().is_active:
                return name
        return names[0] if names else ""

    def choose(self, name: str) -> None:
        """Show a run of the history, "" for none."""
        self._lines, self._checkpoint, self._last_state = -1, None, ""
        self.run = None
        if name and self.project is not None:
            try:
                self.run = RunFolder(self.project.runs_folder / name)
            except InputError as error:
                self.view.notify(str(error))
        self.view.show_runs(self._run_names(), name)
        self.view.show_curve(curve_of([]))
        self.run_changed.emit(self.run)
        self._show()

    def attach(self, path: Path) -> None:
        """Show a run that lies anywhere.

        Raises
        ------
        InputError
            If it is no run.
        """
        self._lines, self._checkpoint, self._last_state = -1, None, ""
        self.run = RunFolder(path)
        self.view.show_runs([*self._run_names(), self.run.name], self.run.name)
        self.run_changed.emit(self.run)
        self._show()

    def start(self, form: TrainForm) -> None:
        """Freeze the annotations of now and start a worker on them."""
        project = self.project
        if project is None:
            self.view.notify("Open a project first: there is nothing to train on")
            return
        try:
            folder = project.runs_folder
            folder.mkdir(parents=True, exist_ok=True)
            snapshot = folder / ".snapshot.json"
            coco_point.write(project.dataset(), snapshot)
            arguments = TrainArguments(
                data=snapshot,
                images=project.images_folder,
                system=form.system,
                recipe=form.recipe,
                device=form.device,
                steps=form.steps,
                init=self.run.path if form.go_on_from_shown and self.run is not None else None,
            )
            path = new_run_path(folder, arguments)
            start_training(arguments, path)
            snapshot.unlink(missing_ok=True)
        except (InputError, OSError) as error:
            self.view.notify(str(error))
            return
        self.choose(path.name)

    def stop(self) -> None:
        """Ask the worker to end after its step, with a checkpoint."""
        if self.run is not None:
            self._try(self.run.request_stop)

    def resume(self) -> None:
        """Go on from the last checkpoint."""
        if self.run is not None:
            run = self.run
            self._try(lambda: resume(run))
            self._lines = -1
            self._show()

    def _try(self, act: object) -> None:
        assert callable(act)
        try:
            act()
        except (InputError, OSError) as error:
            self.view.notify(str(error))
        self._show()

    def tick(self) -> None:
        """Look at the run; every now and then for new ones."""
        self._ticks += 1
        if self._ticks % RUNS_EVERY == 0 and self.project is not None:
            names = self._run_names()
            if self.run is None and names:
                self.choose(self._most_interesting(names))
                return
            self.view.show_runs(names, self.run.name if self.run is not None else "")
        self._show()

    def _show(self) -> None:
        run = self.run
        if run is None:
            self.view.show_run(RunPanel())
            return
        try:
            status = run.status()
            events = run.events()
            checkpoint = run.checkpoint_id("last") if status.is_active else run.checkpoint_id("best")
            checkpoint = checkpoint or run.checkpoint_id("last")
        except (InputError, OSError) as error:
            self.view.show_run(RunPanel(title=run.name, state="lost", message=str(error)))
            return
        lines = int(events[-1]["line"]) if events else 0
        if lines != self._lines:
            self._lines = lines
            self.view.show_curve(curve_of(events))
        if status.state != self._last_state and self._last_state and status.state in ("failed", "finished", "lost"):
            self.view.notify(
                f"{run.name}: {status.message or 'training is finished'}", error=status.state != "finished"
            )
        self._last_state = status.state
        self.view.show_run(panel_of(run, status, events))
        if checkpoint is not None and checkpoint != self._checkpoint:
            self._checkpoint = checkpoint
            self.checkpoint_changed.emit(checkpoint)


def panel_of(
    run: RunFolder, status: RunStatus, events: list[Mapping[str, object]] | list[dict[str, object]]
) -> RunPanel:
    """A run in words."""
    parts = []
    if status.steps:
        stage = f"{status.stage}: " if status.stage and status.stage != "train" else ""
        parts.append(f"{stage}step {status.step:,}/{status.steps:,}")
    if status.eta_s is not None and status.state == "running":
        parts.append(f"ETA {duration(status.eta_s)}")
    if status.images_per_second and status.state == "running":
        parts.append(f"{status.images_per_second:.1f} images/s")
    if status.loss is not None:
        parts.append(f"loss {status.loss:.3f}")
    if status.best is not None:
        parts.append(f"best {status.metric.upper()} {status.best:.3f}")
    if status.state == "starting":
        parts.append("starting: loading torch takes some seconds")
    failed = status.state in ("failed", "lost")
    message = status.message
    if failed and status.step:
        message = f"{message}  Resume goes on from the last checkpoint."
    return RunPanel(
        title=run.name,
        state="paused" if status.paused else status.state,
        progress=status.step / status.steps if status.steps else 0.0,
        line="   ".join(parts),
        message=message,
        log=last_lines(run.log_file) if failed else "",
        can_stop=status.is_active and status.state != "stopping",
        can_resume=status.state in ("stopped", "failed", "lost"),
    )


def last_lines(file: Path, count: int = LOG_LINES) -> str:
    """The end of a log, "" if there is none."""
    try:
        with file.open("rb") as log:
            log.seek(0, 2)
            log.seek(max(0, log.tell() - 8192))
            text = log.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-count:])
