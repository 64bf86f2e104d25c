"""Numbers about a running stage: speed, time left, the smoothed loss."""

from __future__ import annotations

import statistics
import time
from collections import deque
from dataclasses import dataclass, field

_BLOCK_S = 5.0
"""Steps are looked at in blocks of at least so many seconds: single ones differ by their pictures."""

_BLOCKS = 24
"""Blocks that are remembered; what the machine did longer ago says little about what it will do."""

_FEWEST_BLOCKS = 3
"""Fewer than that have no spread."""


@dataclass
class Speed:
    """Images a second and the seconds left, over recent steps.

    The time left counts what comes between steps as well (validations, checkpoints), as often as it came so far.
    """

    batch_size: int
    steps: int
    _seconds_a_step: float | None = None
    _last: float = field(default_factory=time.perf_counter)
    _between_s: float = 0.0
    _done: int = 0
    _block_s: float = 0.0
    _block_steps: int = 0
    _blocks: deque[float] = field(default_factory=lambda: deque(maxlen=_BLOCKS))
    _left: int = 0

    def pause(self, *, is_repeated: bool = True) -> None:
        """Leave out the time since the last step.

        Parameters
        ----------
        is_repeated : bool
            Whether the like will come again: a validation does, a pause that a person asked for does not.
        """
        now = time.perf_counter()
        if is_repeated and self._done:
            self._between_s += now - self._last
        self._last = now

    def tick(self, step: int) -> tuple[float, float]:
        """Images a second and seconds left after `step` steps."""
        now = time.perf_counter()
        took, self._last = now - self._last, now
        self._done += 1
        if self._seconds_a_step is None or step <= 3:  # the first steps import and compile
            self._seconds_a_step = took
        else:
            self._seconds_a_step += 0.05 * (took - self._seconds_a_step)
            self._fill_block(took)
        seconds = max(self._seconds_a_step, 1e-9)
        self._left = self.steps - step
        return self.batch_size / seconds, self._left * (seconds + self._between_s / self._done)

    def _fill_block(self, took: float) -> None:
        self._block_s += took
        self._block_steps += 1
        if self._block_s >= _BLOCK_S:
            self._blocks.append(self._block_s / self._block_steps)
            self._block_s, self._block_steps = 0.0, 0

    @property
    def eta_spread_s(self) -> float | None:
        """Standard deviation of the seconds left, as if the rest went like one of the recent blocks.

        None while there are too few blocks to tell. Blocks that follow one another are slow or fast together, since
        the machine is; averaging their deviation away over the rest would promise too much.
        """
        if len(self._blocks) < _FEWEST_BLOCKS:
            return None
        return self._left * statistics.stdev(self._blocks)


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
