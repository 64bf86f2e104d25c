"""What the dock *Train & preview* can show and say, independent of Qt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_pointanno._models.machine_words import DeviceChoice
from napari_pointanno._models.tables import Table

if TYPE_CHECKING:
    from napari_pointanno._models.curves import Curve
    from pointanno.runs.preflight import Finding


@dataclass(frozen=True, slots=True)
class SystemChoice:
    """A line of the system menu."""

    name: str
    title: str
    recipes: tuple[str, ...]
    supervisions: tuple[str, ...] = ("points",)


@dataclass(frozen=True, slots=True)
class TrainForm:
    """What the person asks for."""

    system: str
    recipe: str
    device: str = "auto"
    steps: int | None = None
    """None is the recipe's own number."""
    go_on_from_shown: bool = False
    """Start from the weights of the run that is shown."""
    seed: int = 0
    threads: int | None = None
    """None is all cores."""
    supervision: str | None = None
    """None is the system's first."""
    overrides: tuple[str, ...] = ()
    val: str = ""
    """COCO instances with masks; "" for no validation."""
    val_images: str = ""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A line of the history."""

    path: str
    label: str
    """Name with the best metric."""


@dataclass(frozen=True, slots=True)
class RunPanel:
    """A run in words."""

    title: str = ""
    state: str = ""
    progress: float = 0.0
    """0 ... 1 of the stage that runs."""
    line: str = ""
    """Step, time left, rate."""
    message: str = ""
    log: str = ""
    """Last lines of the log after a failure."""
    can_stop: bool = False
    can_resume: bool = False
    can_pause: bool = False
    paused: bool = False
    about: str = ""
    """System, recipe, data."""
    stage: str = ""
    """Which of the stages, "" with a single one."""
    metrics: str = ""
    """The last validation."""
    per_class: Table = field(default_factory=Table)
    samples: tuple[Path, ...] = ()
    """Drawn predictions of the last validation."""
    hints: tuple[str, ...] = ()
    resume_from: int | None = None
    """Step of the checkpoint that a resumed training goes on from."""


class TrainView(ABC):
    """The dock; emits what the person asks for and shows what it is told."""

    start_requested = Signal(object)
    """A `TrainForm`."""
    start_anyway_requested = Signal()
    """Start though the check before found something."""
    findings_dismissed = Signal()
    rehearsal_requested = Signal(object)
    """A `TrainForm`: try some steps, keep nothing."""
    stop_requested = Signal()
    pause_requested = Signal()
    """Pause, or go on after a pause."""
    resume_requested = Signal()
    run_chosen = Signal(str)
    """Path of a run of the history."""
    open_requested = Signal(str)
    """Path of a run folder anywhere."""
    compare_requested = Signal(object)
    """Paths of the runs to compare, a tuple; fewer than two end the comparison."""
    export_requested = Signal(str)
    """Path of a CSV file for the curve."""
    use_for_preview_requested = Signal()
    preview_switched = Signal(bool)
    opacity_changed = Signal(float)
    ticked = Signal()
    """Four times a second while the dock is visible."""
    shown = Signal()
    """The dock is seen for the first time."""

    @abstractmethod
    def show_systems(self, systems: list[SystemChoice], devices: list[DeviceChoice]) -> None:
        """Fill the menus."""

    @abstractmethod
    def show_ready(self, ready: bool, reason: str) -> None:
        """Whether a training can be started, and why not."""

    @abstractmethod
    def show_busy(self, text: str) -> None:
        """What is being prepared in the background, "" for nothing."""

    @abstractmethod
    def show_findings(self, findings: tuple[Finding, ...], *, can_start: bool, summary: str = "") -> None:
        """What the check before a training found; none hides the list."""

    @abstractmethod
    def show_runs(self, rows: list[RunRow], current: str) -> None:
        """The history and the path of the run that is shown."""

    @abstractmethod
    def show_run(self, panel: RunPanel) -> None:
        """State of the run that is shown."""

    @abstractmethod
    def show_machine(self, text: str) -> None:
        """Load of the machine, "" while nothing runs."""

    @abstractmethod
    def show_news(self, text: str) -> None:
        """Objects that came since the run was started, "" for none."""

    @abstractmethod
    def show_curve(self, curve: Curve) -> None:
        """Its curve."""

    @abstractmethod
    def show_comparison(self, curves: Mapping[str, Curve], table: Table) -> None:
        """Curves of several runs over one another and what differs; an empty mapping ends it."""

    @abstractmethod
    def show_activity(self, text: str) -> None:
        """Tell napari, which asks before it closes, that something runs; "" for nothing."""

    @abstractmethod
    def show_preview(self, on: bool, text: str) -> None:
        """Whether the preview is on, and what it is doing."""

    @abstractmethod
    def show_opacity(self, opacity: float) -> None:
        """The opacity of the preview, after a key has changed it."""

    @abstractmethod
    def request_start(self) -> None:
        """Emit `start_requested` with what the form says."""

    @property
    @abstractmethod
    def stops_with_window(self) -> bool:
        """Whether a training that runs is to be stopped, with a checkpoint, when the window closes."""

    @abstractmethod
    def notify(self, sentence: str, *, error: bool = True) -> None:
        """One sentence for the person."""
