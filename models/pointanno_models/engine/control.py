"""How the outside stops or pauses a training: ``control.json`` and signals, looked at each step."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from pointanno.runs import RunFolder


_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Ctrl-C, a cluster's notice, a terminal that is closed."""


class Control:
    """Asked by the file or by a signal; a second SIGINT interrupts at once."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self._signalled = False
        self._previous: dict[int, Any] = {}
        self._stamp: int | None = None
        self._asked: dict[str, Any] = {}

    def __enter__(self) -> Control:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                self._previous[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._signalled and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._signalled = True

    def _read(self) -> dict[str, Any]:
        """Content of ``control.json``, parsed only when the file changed."""
        try:
            stamp = self._run.control_file.stat().st_mtime_ns
        except OSError:
            self._stamp, self._asked = None, {}
            return self._asked
        if stamp != self._stamp:
            self._stamp, self._asked = stamp, self._run.control()
        return self._asked

    @property
    def is_stop_asked(self) -> bool:
        """Whether to end after the current step."""
        return self._signalled or bool(self._read().get("stop"))

    def wait_while_paused(self, on_pause: Callable[[], None]) -> bool:
        """Sleep until a pause ends or a stop is asked for; called before each step. Whether there was a pause."""
        if not self._read().get("pause") or self.is_stop_asked:
            return False
        on_pause()
        while self._read().get("pause") and not self.is_stop_asked:
            time.sleep(0.2)
        return True
