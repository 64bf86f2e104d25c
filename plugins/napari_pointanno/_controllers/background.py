"""Work that the window does not wait for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Background = Callable[[Callable[[], Any], Callable[[Any], None]], None]
"""``background(work, done)``: `done` gets what `work` returns or raises, in the window's thread."""


def immediately(work: Callable[[], Any], done: Callable[[Any], None]) -> None:
    """Without a window: now."""
    try:
        result: Any = work()
    except Exception as error:  # as a thread would hand it over
        result = error
    done(result)
