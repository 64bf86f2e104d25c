"""How a question is shown, as the person has set it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QuestionLook:
    """Preferences about questions.

    Attributes
    ----------
    near_point : whether the words stand beside the point, or at the top of the canvas
    hides_answered : whether the answered points of the object that is asked are hidden, lest they suggest an answer
    zoom : screen pixels for each pixel of the picture; None to fit the object
    margin : what is to be seen around the box of the object, as a fraction of its size on each side
    """

    near_point: bool = True
    hides_answered: bool = False
    zoom: float | None = None
    margin: float = 0.25
