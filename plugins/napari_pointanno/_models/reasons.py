"""Questions about an image or object that a digit answers: why it is flagged or left out, what is complete."""

from __future__ import annotations

from dataclasses import dataclass

FLAG_REASONS = (
    "class unclear",
    "border unclear",
    "too small or hidden",
    "several objects in one",
    "picture is bad",
    "ask somebody",
)
"""Why something is to be looked at again."""

SKIP_IMAGE_REASONS = (
    "out of focus or too dark",
    "nothing to annotate",
    "duplicate",
    "private",
    "not of this project",
)
"""Why an image is left out."""

SKIP_OBJECT_REASONS = (
    "none of our classes",
    "too small or hidden",
    "several objects in one",
    "box is wrong",
)
"""Why the points of a box are not asked about."""

OTHER, TAKE_BACK = 9, 0
"""Digits of a reason in one's own words, and of taking back."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A line of the dock that waits for a digit.

    Attributes
    ----------
    title : str
    entries : of (digit, words)
    default : what the key that opened it, or Enter, does if it is pressed now; "" for nothing
    """

    title: str
    entries: tuple[tuple[int, str], ...]
    default: str = ""

    def text(self) -> str:
        """The same in one line, for the canvas."""
        answers = "   ".join(f"{digit} {words}" for digit, words in self.entries)
        return f"{self.title}   {answers}   Esc"


def reason_strip(title: str, reasons: tuple[str, ...], *, default: str, take_back: str = "") -> Strip:
    """A strip with numbered reasons, a free one, and where something can be taken back a way to do so."""
    entries = [*enumerate(reasons, 1), (OTHER, "other…")]
    if take_back:
        entries.append((TAKE_BACK, take_back))
    return Strip(title, tuple(entries), default)
