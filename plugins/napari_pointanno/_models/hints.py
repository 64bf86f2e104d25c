"""Plain words about how a training goes; pure functions of its events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_pointanno._models.curves import duration

Events = Sequence[dict[str, Any]]

FLAT_SHARE, FLAT_STEPS = 0.2, 500
"""A metric that has not risen for this share of the training, and for so many steps, is flat."""

FLAT_VALIDATIONS = 3
"""So many validations without a better one are asked for: one alone may be bad luck."""

RISE = 0.005
"""Less than that (relative) is no progress."""

STANDARD_ERRORS = 2.0
"""Two means that differ by less than so many standard errors are the same."""

WAITING_SHARE = 0.3
"""A training that waits longer than this for its pictures could be faster."""

RECENT_STEPS = 50

LONG_S = 6 * 3600.0


def hints(events: Events, *, device: str = "", has_gpu: bool = False, eta_s: float | None = None) -> list[str]:
    """What a person may want to do, most urgent first.

    Parameters
    ----------
    events : sequence of dict
        Of one run, void lines left out.
    device : str
        What it runs on.
    has_gpu : bool
        Whether the driver shows a graphics card.
    eta_s : float or None
        Seconds left.
    """
    found = [str(event.get("message", "")) for event in _warnings_of_last_start(events)]
    found += [one for one in (flat_metric(events), flat_loss(events), data_bound(events)) if one]
    if device == "cpu" and has_gpu:
        found.append("This machine has a GPU, but the training runs on the processor: `pointanno doctor` says why.")
    elif device == "cpu" and eta_s is not None and eta_s > LONG_S:
        found.append(
            f"{duration(eta_s)} on the processor: with the recipe small, fewer steps or a GPU it is done sooner."
        )
    return found


def _warnings_of_last_start(events: Events) -> list[dict[str, Any]]:
    """The last three warnings since the worker was started last."""
    begun = max((index for index, event in enumerate(events) if event["kind"] == "hello"), default=0)
    return [event for event in events[begun:] if event["kind"] == "warn"][-3:]


def flat_metric(events: Events) -> str:
    """Whether the metric of the validation has stopped to rise; "" if not."""
    values = [event for event in events if event["kind"] == "val" and event.get("value") is not None]
    values = [event for event in values if event.get("stage") == values[-1].get("stage")]
    if len(values) <= FLAT_VALIDATIONS:
        return ""
    best = 0
    for index, event in enumerate(values):
        if event["value"] > values[best]["value"] * (1 + RISE):
            best = index
    since, after = int(values[-1]["step"]) - int(values[best]["step"]), len(values) - 1 - best
    steps = max((int(event.get("steps", 0)) for event in events if event["kind"] in ("stage", "step")), default=0)
    if after < FLAT_VALIDATIONS or since < max(FLAT_STEPS, FLAT_SHARE * steps):
        return ""
    metric = str(values[-1].get("metric", "metric")).upper()
    return (
        f"{metric} flat for {since:,} steps (best {values[best]['value']:.3f} at step {int(values[best]['step']):,}): "
        "you can stop, the best checkpoint is kept."
    )


def flat_loss(events: Events) -> str:
    """Without a validation: whether the loss of the last fifth of the training is that of the fifth before."""
    if any(event["kind"] == "val" and event.get("value") is not None for event in events):
        return ""
    steps = [event for event in events if event["kind"] == "step" and event.get("loss") is not None]
    steps = [event for event in steps if event.get("stage") == steps[-1].get("stage")]
    if not steps:
        return ""
    window = max(FLAT_STEPS, round(FLAT_SHARE * int(steps[-1].get("steps", 0))))
    last = int(steps[-1]["step"])
    late = np.array([event["loss"] for event in steps if event["step"] > last - window])
    early = np.array([event["loss"] for event in steps if last - 2 * window < event["step"] <= last - window])
    if last < 2 * window or len(late) < 30 or len(early) < 30:
        return ""
    error = float(np.hypot(late.std() / len(late) ** 0.5, early.std() / len(early) ** 0.5))
    if early.mean() - late.mean() > max(STANDARD_ERRORS * error, RISE * abs(float(early.mean()))):
        return ""
    return (
        f"Training loss flat for {window:,} steps. Without a validation file nobody knows whether the model still "
        "improves: look at the preview."
    )


def waiting_share(events: Events) -> float | None:
    """Share of the time of the last steps that went into waiting for pictures, None if it is not known."""
    steps = [event for event in events[-4 * RECENT_STEPS :] if event["kind"] == "step"][-RECENT_STEPS:]
    if len(steps) < 2 or any(event.get("data_wait_s") is None for event in steps):
        return None
    rates = [event["images_per_second"] for event in steps if event.get("images_per_second")]
    batch = next((float(event["batch_size"]) for event in reversed(events) if event.get("batch_size")), None)
    if not rates or batch is None:
        return None
    waited = float(np.mean([event["data_wait_s"] for event in steps]))
    return min(1.0, waited / (batch / float(np.mean(rates))))


def data_bound(events: Events) -> str:
    """Whether the pictures come too slowly; "" if not."""
    share = waiting_share(events)
    if share is None or share < WAITING_SHARE:
        return ""
    return (
        f"{100 * share:.0f} % of the time goes into waiting for pictures: data.workers=2 or more data.cache_megabytes "
        "(Advanced ▸ Settings) may help."
    )
