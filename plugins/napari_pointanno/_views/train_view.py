"""What the dock *Train & preview* can show and say, independent of Qt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psygnal import Signal

if TYPE_CHECKING:
    from napari_pointanno._models.curves import Curve


@dataclass(frozen=True, slots=True)
class SystemChoice:
    """A line of the system menu."""

    name: str
    title: str
    recipes: tuple[str, ...]


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


@dataclass(frozen=True, slots=True)
class RunPanel:
    """A run in words."""

    title: str = ""
    state: str = ""
    progress: float = 0.0
    """0 ... 1"""
    line: str = ""
    """Step, time left, rate."""
    message: str = ""
    log: str = ""
    """Last lines of the log after a failure."""
    can_stop: bool = False
    can_resume: bool = False


class TrainView(ABC):
    """The dock; emits what the person asks for and shows what it is told."""

    start_requested = Signal(object)
    """A `TrainForm`."""
    stop_requested = Signal()
    resume_requested = Signal()
    run_chosen = Signal(str)
    """Name of a run of the history."""
    preview_switched = Signal(bool)
    opacity_changed = Signal(float)
    ticked = Signal()
    """Four times a second while the dock is visible."""

    @abstractmethod
    def show_systems(self, systems: list[SystemChoice], devices: list[str]) -> None:
        """Fill the menus."""

    @abstractmethod
    def show_ready(self, ready: bool, reason: str) -> None:
        """Whether a training can be started, and why not."""

    @abstractmethod
    def show_runs(self, names: list[str], current: str) -> None:
        """The history and the run that is shown."""

    @abstractmethod
    def show_run(self, panel: RunPanel) -> None:
        """State of the run that is shown."""

    @abstractmethod
    def show_curve(self, curve: Curve) -> None:
        """Its curve."""

    @abstractmethod
    def show_preview(self, on: bool, text: str) -> None:
        """Whether the preview is on, and what it is doing."""

    @abstractmethod
    def request_start(self) -> None:
        """Emit `start_requested` with what the form says."""

    @abstractmethod
    def notify(self, sentence: str, *, error: bool = True) -> None:
        """One sentence for the person."""
