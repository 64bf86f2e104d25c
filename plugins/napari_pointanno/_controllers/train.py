"""The controller of training: watches run folders, stops and resumes them, compares them. Knows no torch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_pointanno._controllers import run_words
from napari_pointanno._controllers.background import Background, immediately
from napari_pointanno._controllers.starting import StartController
from napari_pointanno._models.curves import CurveBuilder, curve_of, write_csv
from napari_pointanno._models.hints import hints, waiting_share
from napari_pointanno._models.machine_words import device_choices, machine_line
from napari_pointanno._models.tables import Table, word
from napari_pointanno._views.train_view import RunPanel, RunRow, SystemChoice, TrainView
from pointanno.errors import InputError
from pointanno.project import Project
from pointanno.runs import (
    Machine,
    MachineReading,
    RunFolder,
    RunStatus,
    Stopping,
    WarmWorker,
    compare_runs,
    list_runs,
    resume,
)
from pointanno.runs.process import is_alive, read_worker_file
from pointanno.systems import available_systems, load_system

RUNS_EVERY = 8
"""Ticks between two looks into the runs folder, for runs that were started elsewhere."""

MACHINE_EVERY, HINTS_EVERY = 4, 8
"""Ticks between two readings of the machine, and between two rounds of hints."""

NEWS_EVERY = 40
"""Ticks between two counts of what was annotated since."""

FULL_GPU = "GPU memory was full"
"""Words of the warning that the engine gives when it halves a batch."""

MOST_COUNTED = 20_000
"""Projects with more images are not counted again and again."""


class TrainController:
    """Shows one run at a time; attaches to those that were started earlier or by someone else.

    Parameters
    ----------
    view : TrainView
    background : callable
        Does what may take longer than a frame.
    machine : Machine or None
        Reads the load; None shows none.
    warm : WarmWorker or None
        Makes the first step of a training come sooner.
    """

    run_changed = Signal(object)
    """The `RunFolder` shown, or None."""
    checkpoint_changed = Signal(str)
    """Id of a new checkpoint of the run shown."""
    memory_needed = Signal()
    """A training starts on, or ran out of, a GPU that others may hold memory of."""
    preview_wanted = Signal()
    """The run that is shown is to be previewed."""

    def __init__(
        self,
        view: TrainView,
        *,
        background: Background = immediately,
        machine: Machine | None = None,
        warm: WarmWorker | None = None,
    ) -> None:
        self.view = view
        self.project: Project | None = None
        self.run: RunFolder | None = None
        self._background, self._machine, self._warm = background, machine, warm
        self._reading: MachineReading | None = None
        self._is_reading = False
        self._outside: dict[str, RunFolder] = {}
        self._ticks = 0
        self._forget()
        self.starting = StartController(view, background, warm, lambda: self.run, self._on_started)
        view.stop_requested.connect(self.stop)
        view.pause_requested.connect(self.pause)
        view.resume_requested.connect(self.resume)
        view.run_chosen.connect(self.choose)
        view.open_requested.connect(self.open)
        view.compare_requested.connect(self.compare)
        view.export_requested.connect(self.export)
        view.use_for_preview_requested.connect(lambda: self.preview_wanted.emit())
        view.ticked.connect(self.tick)
        view.shown.connect(self._on_shown)
        self._systems = self._find_systems()
        self._show_choices()
        self.set_project(None)

    def _forget(self) -> None:
        """Nothing is known yet about the run that is shown."""
        self._lines, self._checkpoint, self._last_state = -1, "", ""
        self._builder, self._seen, self._resumes = CurveBuilder(), 0, 0
        self._stopping: Stopping | None = None
        self._about = ""
        self._hints: tuple[str, ...] | None = None
        self._warned = 0

    def _find_systems(self) -> list[SystemChoice]:
        """Installed systems; one that cannot be described is left out with its reason."""
        choices = []
        for name in available_systems():
            try:
                found = load_system(name)
                choices.append(SystemChoice(found.name, found.title, found.recipes(), found.supervisions))
            except (InputError, ImportError, OSError) as error:
                self.view.notify(f"system {name}: {error}")
        return choices

    def _show_choices(self) -> None:
        gpus = () if self._reading is None else self._reading.gpus
        self.view.show_systems(self._systems, device_choices(gpus, is_mac=sys.platform == "darwin"))

    def _on_shown(self) -> None:
        """The dock is seen: get a worker ready, and look which devices there are."""
        if self._warm is not None:
            warm = self._warm
            self._background(warm.start, lambda _: None)
        self._read_machine(then=self._show_choices)

    def set_project(self, project: Project | None) -> None:
        """Another project was opened, or it was closed; running trainings go on."""
        self.project = project
        self.starting.set_project(project)
        self.view.show_ready(project is not None, "" if project is not None else "Open a project first.")
        self._show_news("")
        runs = self._runs()
        if runs or self.run is None or str(self.run.path) not in self._outside:
            self.choose(self._most_interesting(runs))

    def _runs(self) -> list[RunFolder]:
        """Those of the project, newest first, then those that were opened from elsewhere."""
        inside: list[RunFolder] = []
        if self.project is not None and self.project.runs_folder.is_dir():
            inside = list(reversed(list_runs(self.project.runs_folder)))
        known = {str(run.path) for run in inside}
        return [*inside, *(run for path, run in self._outside.items() if path not in known and run.path.is_dir())]

    def _most_interesting(self, runs: list[RunFolder]) -> str:
        """The run that is active, else the newest."""
        for run in runs:
            worker = read_worker_file(run.worker_file)
            if worker is not None and is_alive(worker):
                return str(run.path)
        return str(runs[0].path) if runs else ""

    def choose(self, path: str) -> None:
        """Show a run of the history, "" for none."""
        self._forget()
        self.run = None
        if path:
            try:
                self.run = RunFolder(path)
                self._about = run_words.about_run(self.run)
            except InputError as error:
                self.view.notify(str(error))
        self.view.show_runs(self._rows(), path)
        self.view.show_curve(curve_of([]))
        self._show_news("")
        self.run_changed.emit(self.run)
        self._show()
        self._count_news()

    def open(self, path: str) -> None:
        """Show a run that lies anywhere."""
        try:
            run = RunFolder(path.strip())
        except InputError as error:
            self.view.notify(str(error))
            return
        self._outside[str(run.path)] = run
        self.choose(str(run.path))

    def _rows(self) -> list[RunRow]:
        return [run_words.run_row(run) for run in self._runs()]

    def _on_started(self, run: RunFolder) -> None:
        if not run.arguments().device == "cpu":
            self.memory_needed.emit()
        self.choose(str(run.path))
        if self._warm is not None:  # one is on its way; the next training shall find one again
            self._background(self._warm.start, lambda _: None)

    def stop(self) -> None:
        """Ask the worker to end after its step; what does not answer is told, then killed."""
        if self.run is not None and self._stopping is None:
            run = self.run
            self._try(lambda: setattr(self, "_stopping", Stopping(run)))

    def pause(self) -> None:
        """Wait after the step, or go on."""
        if self.run is not None:
            run = self.run
            self._try(lambda: run.request_pause(not run.control().get("pause", False)))

    def resume(self) -> None:
        """Go on from the last checkpoint."""
        if self.run is not None:
            run = self.run
            self._stopping = None
            self._try(lambda: resume(run, warm=self._warm))

    def _try(self, act: Any) -> None:
        try:
            act()
        except (InputError, OSError) as error:
            self.view.notify(str(error))
        self._show()

    def export(self, path: str) -> None:
        """Write the curve of the run that is shown as CSV."""
        if self.run is None:
            return
        try:
            rows = write_csv(self.run.events(), Path(path))
        except OSError as error:
            self.view.notify(f"{path}: {error.strerror}; choose a folder that you may write to")
            return
        self.view.notify(f"{rows:,} rows written to {path}", error=False)

    def compare(self, paths: tuple[str, ...]) -> None:
        """Curves of several runs over one another, and what differs between them."""
        if len(paths) < 2:
            self.view.show_comparison({}, Table())
            return

        def work() -> Any:
            runs = [RunFolder(path) for path in paths]
            return {run.name: curve_of(run.events()) for run in runs}, compare_runs(runs)

        self._background(work, self._on_compared)

    def _on_compared(self, result: Any) -> None:
        if isinstance(result, (InputError, OSError)):
            self.view.notify(str(result))
            return
        if isinstance(result, Exception):
            raise result
        curves, compared = result
        rows = [(row.name, *map(word, row.values)) for row in compared.results]
        rows += [(f"{row.group}: {row.name}", *map(word, row.values)) for row in compared.differences]
        self.view.show_comparison(curves, Table(("", *compared.names), tuple(rows)))

    def tick(self) -> None:
        """Look at the run; every now and then for new ones."""
        self._ticks += 1
        if self._ticks % RUNS_EVERY == 0 and self.project is not None:
            runs = self._runs()
            if self.run is None and runs:
                self.choose(self._most_interesting(runs))
                return
            rows = [run_words.run_row(run) for run in runs]
            self.view.show_runs(rows, str(self.run.path) if self.run is not None else "")
        if self._ticks % NEWS_EVERY == 0:
            self._count_news()
        if self._stopping is not None and self._stopping.look() in ("ended", "killed"):
            self._stopping = None
        self._show()

    def _show(self) -> None:
        run = self.run
        if run is None:
            self.view.show_run(RunPanel())
            self.view.show_activity("")
            self.view.show_machine("")
            return
        try:
            status = run.status()
            events = run.events()
            checkpoint = run.checkpoint_id("last") if status.is_active else run.checkpoint_id("best")
            checkpoint = checkpoint or run.checkpoint_id("last")
        except (InputError, OSError) as error:
            self.view.show_run(RunPanel(title=run.name, state="lost", message=str(error)))
            self.view.show_activity("")
            return
        lines = int(events[-1]["line"]) if events else 0
        if lines != self._lines:
            self._show_new(events, lines)
        if self._ticks % HINTS_EVERY == 0 or self._hints is None:
            self._hints = self._new_hints(run, status, events)
        self._tell_end(run, status)
        stopping = "" if self._stopping is None else self._stopping.sentence() or "stopping …"
        self.view.show_run(
            run_words.panel_of(run, status, events, about=self._about, hints=self._hints or (), stopping=stopping)
        )
        self._show_load(status, events)
        self.view.show_activity(_activity(run) if status.is_active else "")
        if checkpoint is not None and checkpoint != self._checkpoint:
            self._checkpoint = checkpoint
            self.checkpoint_changed.emit(checkpoint)

    def _show_new(self, events: list[dict[str, Any]], lines: int) -> None:
        """Bring the curve up to date: only what is new, or everything after lines became void."""
        resumes = sum(event["kind"] == "resume" for event in events)
        if resumes != self._resumes or lines < self._lines:
            self._builder, self._seen, self._resumes = CurveBuilder(), 0, resumes
        self._builder.add(
            event for event in events[-(lines - self._seen) or len(events) :] if event["line"] > self._seen
        )
        self._seen = self._lines = lines
        self.view.show_curve(self._builder.curve())
        warnings = [str(event.get("message", "")) for event in events if event["kind"] == "warn"]
        if len(warnings) > self._warned:
            self._hints = None  # to be said at once
            if any(FULL_GPU in warning for warning in warnings[self._warned :]):
                self.memory_needed.emit()
        self._warned = len(warnings)

    def _tell_end(self, run: RunFolder, status: RunStatus) -> None:
        """A word when the training ends while somebody watches."""
        if status.state != self._last_state and self._last_state and status.state in ("failed", "finished", "lost"):
            self.view.notify(
                f"{run.name}: {status.message or 'training is finished'}", error=status.state != "finished"
            )
        self._last_state = status.state

    def _new_hints(self, run: RunFolder, status: RunStatus, events: list[dict[str, Any]]) -> tuple[str, ...]:
        """Plain words; without any where the folder is damaged, since the rest can still be shown."""
        try:
            device = str(run.environment().get("device", ""))
        except InputError as error:
            return (str(error),)
        has_gpu = self._reading is not None and bool(self._reading.gpus)
        eta_s = status.eta_s if status.state == "running" else None
        return tuple(hints(events, device=device, has_gpu=has_gpu, eta_s=eta_s))

    def _show_load(self, status: RunStatus, events: list[dict[str, Any]]) -> None:
        """What the machine does, while a run of this machine is active."""
        if not status.is_active:
            self.view.show_machine("")
            return
        if self._ticks % MACHINE_EVERY == 0:
            self._read_machine()
        if self._reading is not None:
            waiting = waiting_share(events) if status.state == "running" else None
            self.view.show_machine(machine_line(self._reading, waiting))

    def _read_machine(self, then: Any = None) -> None:
        """Ask driver and system in the background; a slow answer is waited for, never piled up."""
        machine, run = self._machine, self.run
        if machine is None or self._is_reading:
            return
        self._is_reading = True
        worker = None if run is None else read_worker_file(run.worker_file)

        def done(result: Any) -> None:
            self._is_reading = False
            if isinstance(result, MachineReading):
                self._reading = result
                if then is not None:
                    then()

        self._background(lambda: machine.read(worker), done)

    def _count_news(self) -> None:
        """How much was annotated since the run that is shown was started."""
        project, run = self.project, self.run
        if project is None or run is None or run.path.parent != project.runs_folder:
            self._show_news("")
            return
        if project.image_count() > MOST_COUNTED:
            return

        def work() -> int:
            images = project.images()
            boxes, clicks = sum(image.boxes for image in images), sum(image.clicks for image in images)
            return run_words.annotated_since(run, boxes, clicks)

        def done(result: Any) -> None:
            if isinstance(result, int) and run is self.run:
                noun = "object" if result == 1 else "objects"
                self._show_news(f"+{result:,} new {noun} since start — retrain?" if result > 0 else "")

        self._background(work, done)

    def _show_news(self, text: str) -> None:
        self.view.show_news(text)

    def leave(self) -> None:
        """The window or its dock is gone: end the worker that waits, and the run if that was wished."""
        run = self.run
        if self._warm is not None:
            self._warm.close()
        if self._machine is not None:
            self._machine.close()
        try:
            if run is not None and self.view.stops_with_window is True and run.status().is_active:
                run.request_stop()
        except (InputError, OSError):  # nobody is there any more to be told
            return


def _activity(run: RunFolder) -> str:
    """What napari's question before closing says."""
    return (
        f"training {run.name}. Close: it goes on in the background and is found again (or is stopped and kept, if "
        "Advanced says so). Cancel, then Stop & keep: it ends now with a checkpoint."
    )
