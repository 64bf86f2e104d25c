"""What a run is doing, told from its folder alone."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pointanno.runs.process import is_alive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pointanno.runs.events import Event

State = Literal["starting", "running", "stopping", "stopped", "finished", "failed", "lost"]

_SILENCE_S = 300.0
"""A worker on another machine that says nothing for so long counts as lost."""


@dataclass(frozen=True, slots=True)
class RunStatus:
    """One look at a run.

    `lost` means that the worker vanished without a word (killed, power cut); it can be resumed like a
    stopped one.
    """

    state: State
    stage: str = ""
    step: int = 0
    steps: int = 0
    loss: float | None = None
    losses: Mapping[str, float] = field(default_factory=dict)
    images_per_second: float | None = None
    eta_s: float | None = None
    best: float | None = None
    """Best value of the metric in the latest stage that was validated, None without any."""
    message: str = ""
    """The last warning or error as a sentence."""
    pid: int | None = None
    metric: str = ""
    paused: bool = False

    @property
    def is_active(self) -> bool:
        """A worker is at it."""
        return self.state in ("starting", "running", "stopping")


def status_from_events(
    events: Sequence[Event], *, control: Mapping[str, Any], worker: Mapping[str, Any] | None, launched: float | None
) -> RunStatus:
    """Status of a run.

    Parameters
    ----------
    events : list of dict
        As `EventReader.read` returns them.
    control : dict
        Content of ``control.json``.
    worker : dict or None
        Content of ``worker.json``.
    launched : float or None
        Time of the last start in seconds since the epoch.
    """
    shown: dict[str, Any] = {}
    best: float | None = None
    metric = ""
    for event in events:
        kind = event["kind"]
        if kind in ("hello", "resume"):
            shown.pop("end", None)
            shown.pop("error", None)
            shown["message"] = ""
        if kind in ("stage", "step", "resume"):
            for key in ("stage", "step", "steps"):  # the window looks four times a second at ten thousand of these
                if key in event:
                    shown[key] = event[key]
        if kind == "step":
            shown["last"] = event
        elif kind in ("warn", "error"):
            shown["message"] = event.get("message", "")
        elif kind == "val" and event.get("value") is not None:
            metric = str(event.get("metric", ""))
            if event.get("stage") != shown.get("validated"):  # each stage has its own best
                best, shown["validated"] = None, event.get("stage")
            best = event["value"] if best is None else max(best, event["value"])
        if kind in ("end", "error"):
            shown[kind] = event
    last: Event = shown.get("last", {})
    alive = is_alive(dict(worker)) if worker else False
    heard = max(events[-1]["time"] if events else 0.0, launched or 0.0)
    if alive is None:
        alive = time.time() - heard < _SILENCE_S
    # what was said before the present start does not end it
    over = launched is None or not events or events[-1]["time"] >= launched
    state: State
    if over and "error" in shown:
        state = "failed"
    elif over and "end" in shown:
        state = "finished" if shown["end"].get("reason") == "finished" else "stopped"
    elif not alive:
        state = "lost" if worker else "stopped"
    elif control.get("stop"):
        state = "stopping"
    else:
        state = "running" if over and last else "starting"
    message = str(shown.get("message", ""))
    if state == "lost" and not message:
        message = "the training process ended without a word (killed, or out of memory); it can be resumed"
    return RunStatus(
        state=state,
        stage=str(shown.get("stage", "")),
        step=int(shown.get("step", 0)),
        steps=int(shown.get("steps", 0)),
        loss=last.get("loss"),
        losses=last.get("losses", {}),
        images_per_second=last.get("images_per_second"),
        eta_s=last.get("eta_s") if state == "running" else None,
        best=best,
        message=message,
        pid=int(worker["pid"]) if worker and alive else None,
        metric=metric,
        paused=bool(control.get("pause")) and state == "running",
    )
