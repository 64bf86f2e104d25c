"""Work in a thread, its result in the window."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, Signal


class _Carrier(QObject):
    """Lives in the window's thread; what is emitted elsewhere arrives there."""

    arrived = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.arrived.connect(self._call)

    def _call(self, act: Callable[[], None]) -> None:
        act()


class QtBackground:
    """``background(work, done)``: `done` gets the result or the exception, in the window's thread.

    Nothing arrives any more after `close`, so that a window that is gone is left alone.
    """

    def __init__(self) -> None:
        self._carrier: _Carrier | None = _Carrier()

    def __call__(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Start the work."""
        threading.Thread(target=self._run, args=(work, done), name="pointanno background", daemon=True).start()

    def _run(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        try:
            result: Any = work()
        except Exception as error:  # whoever asked decides what to do with it
            result = error
        carrier = self._carrier
        if carrier is None:
            return
        try:
            carrier.arrived.emit(lambda: done(result) if self._carrier is not None else None)
        except RuntimeError:  # the window was taken down in this very moment
            return

    def close(self) -> None:
        """Drop what is still on its way."""
        self._carrier = None
