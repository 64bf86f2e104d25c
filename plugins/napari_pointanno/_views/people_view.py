"""What the part *People* of the dock can show and say, independent of Qt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psygnal import Signal

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class AnnotatorRow:
    """A pseudonym, and the name behind it if it was told here."""

    pseudonym: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """Something that two copies disagree about; `image_id` is None where no image is concerned."""

    sentence: str
    image_id: int | None = None


class PeopleView(ABC):
    """Who annotates; the second opinion; known answers; copies of the project."""

    annotator_chosen = Signal(str)
    """Pseudonym."""
    newcomer_wanted = Signal()
    """Somebody who has not annotated here."""
    name_given = Signal(str)
    """Of the current annotator; "" for none."""
    second_pass_wanted = Signal(float, bool)
    """Share of the images; whether only of those that the list shows."""
    agreement_wanted = Signal()
    gold_given = Signal(str)
    """Path of a file of known answers."""
    practice_chosen = Signal(bool)
    """Whether each known answer is told at once."""
    copy_given = Signal(str)
    """Path of another copy of this project."""
    conflict_chosen = Signal(int)
    """Image of a line of the list of conflicts."""
    left = Signal()
    """An edit has ended; the canvas gets the keyboard back."""

    @abstractmethod
    def show_annotators(self, rows: Sequence[AnnotatorRow], current: str) -> None:
        """Everybody, and who annotates now; "" without a project."""

    @abstractmethod
    def greet(self, sentence: str) -> None:
        """Somebody is here for the first time: what is recorded, and a line for the name; "" takes it away."""

    @abstractmethod
    def show_second_pass(self, text: str) -> None:
        """How far the second pass is."""

    @abstractmethod
    def show_agreement(self, text: str) -> None:
        """How far people agree, in words."""

    @abstractmethod
    def show_joining(self, text: str, conflicts: Sequence[ConflictRow], *, is_busy: bool) -> None:
        """How joining a copy goes, or went, and what two copies disagreed about."""

    @abstractmethod
    def ask_file(self, purpose: str) -> None:
        """Open the line for a path: "gold" for known answers, "copy" for another copy of the project."""
