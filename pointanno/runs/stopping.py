"""Ending a training that may not answer: asked, then told, then killed."""

from __future__ import annotations

import itertools
import statistics
import time
from typing import TYPE_CHECKING, Literal

from pointanno.runs.events import EventWriter
from pointanno.runs.process import kill_tree, read_worker_file, terminate

if TYPE_CHECKING:
    from collections.abc import Callable

    from pointanno.runs.folder import RunFolder

Phase = Literal["asked", "terminated", "killed", "ended"]

TERMINATE_AFTER_S, KILL_AFTER_S = 10.0, 20.0
"""Seconds after the request; a training whose steps take longer than that gets the time of its step first."""

_STEPS_OF_PATIENCE = 2.0
"""A worker ends within one step; twice that is a sign that it does not answer."""

_RECENT = 6
"""Step lines that tell how long a step takes."""


class Stopping:
    """One request to stop and what follows when nothing happens; `look` is called now and then.

    The request ends a healthy worker after its step, with a checkpoint. Then comes the signal to terminate, and at
    last the whole process tree is killed: what was trained since the last checkpoint is lost then, and the run can
    be resumed from there. A worker on another machine can only be asked.

    Parameters
    ----------
    run : RunFolder
        The request is written at once.
    clock : function
        Seconds, monotonic.
    """

    def __init__(
        self,
        run: RunFolder,
        *,
        terminate_after_s: float = TERMINATE_AFTER_S,
        kill_after_s: float = KILL_AFTER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run = run
        self._clock = clock
        self._asked = clock()
        step_s = _STEPS_OF_PATIENCE * seconds_a_step(run)
        self._terminate_at = self._asked + max(terminate_after_s, step_s)
        self._kill_at = self._terminate_at + kill_after_s - terminate_after_s
        self.phase: Phase = "asked"
        run.request_stop()

    @property
    def waited_s(self) -> float:
        """Seconds since the request."""
        return self._clock() - self._asked

    def look(self) -> Phase:
        """Do what is due and tell how far it went; "ended" when no worker is left."""
        if self.phase in ("killed", "ended"):
            return self.phase
        worker = read_worker_file(self._run.worker_file)
        if worker is None or not self._run.status().is_active:
            self._close()
            return self.phase
        now = self._clock()
        if now >= self._kill_at:
            if kill_tree(worker):
                self.phase = "killed"
                self._tell("did not answer and was killed")
        elif now >= self._terminate_at and self.phase == "asked" and terminate(worker):
            self.phase = "terminated"
        return self.phase

    def sentence(self) -> str:
        """What a person wants to know while waiting."""
        now = self._clock()
        if self.phase == "asked" and now - self._asked > 2:
            left = max(0.0, self._terminate_at - now)
            return f"the step that runs is being finished; the worker is told to end in {left:.0f} s"
        if self.phase == "terminated":
            return f"the worker was told to end; it is killed in {max(0.0, self._kill_at - now):.0f} s"
        if self.phase == "killed":
            return "the worker did not answer and was killed"
        return ""

    def _close(self) -> None:
        """No worker any more: if the signal ended it before it could say so, say it in its place."""
        was, self.phase = self.phase, "ended"
        if was == "terminated" and self._run.status().state == "lost":
            self._tell("was ended before it could write a checkpoint")

    def _tell(self, what: str) -> None:
        """The lines that the worker could not write any more."""
        status = self._run.status()
        last = self._run.checkpoint_step("last")
        whence = "from the beginning" if last is None else f"from step {last:,}"
        writer = EventWriter(self._run.events_file)
        writer.write("warn", message=f"the training process {what}; Resume goes on {whence}")
        writer.write("end", reason="stopped", stage=status.stage, step=status.step, steps=status.steps, forced=True)
        self._run.clear_control()


def seconds_a_step(run: RunFolder) -> float:
    """Median time between the last steps in seconds, 0 if it is not known."""
    times = [(e["step"], e["time"]) for e in run.events() if e["kind"] == "step"][-_RECENT:]
    took = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for earlier, later in itertools.pairwise(times)
        if later[0] > earlier[0]
    ]
    return statistics.median(took) if took else 0.0


def stop_and_wait(run: RunFolder, *, poll_s: float = 0.1) -> Phase:
    """Stop a training with all means; returns when no worker is left, or never on another machine."""
    stopping = Stopping(run)
    while stopping.look() not in ("killed", "ended"):
        time.sleep(poll_s)
    return stopping.phase
