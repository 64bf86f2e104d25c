"""A training as a task of napari, which then asks before it closes the window."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from typing import Any

POLL_S = 0.2


class _Task(functools.partial[Iterator[None]]):
    """A generator function with a sentence: napari's dialog prints the function."""

    sentence: str

    def __str__(self) -> str:
        return self.sentence


class Activity:
    """At most one task, for as long as something runs."""

    def __init__(self) -> None:
        self._text = ""
        self._worker: Any = None

    def show(self, text: str) -> None:
        """Register a task with this sentence; "" ends it."""
        if text == self._text:
            return
        self._end()
        self._text = text
        if text:
            self._begin(text)

    def _begin(self, text: str) -> None:
        from napari.qt.threading import create_worker

        task = _Task(_wait, lambda: self._text == text)
        task.sentence = text
        self._worker = create_worker(task, _start_thread=False)
        self._worker.start()

    def _end(self) -> None:
        worker, self._worker, self._text = self._worker, None, ""
        if worker is not None:
            worker.quit()


def _wait(is_running: Callable[[], bool]) -> Iterator[None]:
    """Do nothing until the training is over; each yield is a chance to quit."""
    while is_running():
        time.sleep(POLL_S)
        yield
