"""Time of one answer without the intervals that do not count."""

from __future__ import annotations


class Stopwatch:
    """Measures from `start` on and leaves out what lies between `suspend` and `resume`.

    Times are monotonic nanoseconds. Several reasons may suspend it at once (the clock is paused *and* the
    window lost the keyboard); it runs again when all of them have ended.
    """

    def __init__(self) -> None:
        self._start_ns: int | None = None
        self._excluded_ns = 0
        self._suspended_at: int | None = None
        self._reasons: set[str] = set()

    @property
    def running(self) -> bool:
        """Whether there is something to measure from."""
        return self._start_ns is not None

    def start(self, at_ns: int) -> None:
        """Measure from here on; present reasons to wait stay in force."""
        self._start_ns = at_ns
        self._excluded_ns = 0
        if self._reasons:
            self._suspended_at = at_ns

    def stop(self) -> None:
        """Nothing is measured until the next `start`."""
        self._start_ns = None

    def suspend(self, reason: str, at_ns: int) -> None:
        """Time does not count from here on."""
        if not self._reasons:
            self._suspended_at = at_ns
        self._reasons.add(reason)

    def resume(self, reason: str, at_ns: int) -> None:
        """Take back one reason."""
        if reason not in self._reasons:
            return
        self._reasons.discard(reason)
        if not self._reasons and self._suspended_at is not None:
            self._excluded_ns += at_ns - self._suspended_at
            self._suspended_at = None

    def elapsed_ms(self, at_ns: int) -> int | None:
        """Milliseconds that count, None if nothing was started or `at_ns` lies before the start."""
        if self._start_ns is None or at_ns < self._start_ns:
            return None
        excluded = self._excluded_ns
        if self._suspended_at is not None:
            excluded += max(0, at_ns - max(self._suspended_at, self._start_ns))
        return round(max(0, at_ns - self._start_ns - excluded) / 1e6)
