"""Numbers about a running stage: speed, time left, the smoothed loss."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Speed:
    """Images a second and the seconds left, over recent steps."""

    batch_size: int
    steps: int
    _seconds_a_step: float | None = None
    _last: float = field(default_factory=time.perf_counter)

    def pause(self) -> None:
        """Leave out the time since the last step: a validation, a pause."""
        self._last = time.perf_counter()

    def tick(self, step: int) -> tuple[float, float]:
        """Images a second and seconds left after `step` steps."""
        now = time.perf_counter()
        took, self._last = now - self._last, now
        if self._seconds_a_step is None or step <= 3:  # the first steps import and compile
            self._seconds_a_step = took
        else:
            self._seconds_a_step += 0.05 * (took - self._seconds_a_step)
        seconds = max(self._seconds_a_step, 1e-9)
        return self.batch_size / seconds, (self.steps - step) * seconds


@dataclass
class SmoothedLoss:
    """Moving average over about a hundred steps, without a bias towards its start; part of a checkpoint."""

    total: float = 0.0
    weight: float = 0.0

    def update(self, loss: float, decay: float = 0.99) -> None:
        """Take one more loss into account."""
        self.total = decay * self.total + (1 - decay) * loss
        self.weight = decay * self.weight + (1 - decay)

    @property
    def value(self) -> float | None:
        """The average, None before the first loss."""
        return self.total / self.weight if self.weight else None
