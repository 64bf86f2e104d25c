"""What the dock *Study report* can show and say, independent of Qt."""

from __future__ import annotations

from abc import ABC, abstractmethod

from psygnal import Signal

from napari_pointanno._models.study_digest import ReportChoice, StudyDigest


class StudyView(ABC):
    """Shows and emits, nothing else."""

    refresh_requested = Signal()
    choice_changed = Signal(ReportChoice)
    save_requested = Signal(str)
    """Path of the page to write."""
    ticked = Signal()
    """Every other second while the dock is seen."""
    shown = Signal()
    """The dock came to the front."""
    left = Signal()
    """Something was chosen or typed; the keyboard is free again."""

    @property
    @abstractmethod
    def choice(self) -> ReportChoice:
        """What is chosen now."""

    @abstractmethod
    def show_state(self, sentence: str, *, busy: bool = False) -> None:
        """What is going on, or why there is nothing to see; "" for nothing."""

    @abstractmethod
    def show_digest(self, digest: StudyDigest | None) -> None:
        """Numbers and figures; None takes them off the screen."""

    @abstractmethod
    def enable(self, *, refresh: bool, save: bool) -> None:
        """What can be asked for."""

    @abstractmethod
    def notify(self, sentence: str, *, error: bool = True) -> None:
        """One sentence for the person."""
