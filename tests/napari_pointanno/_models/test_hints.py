from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_pointanno._models.hints import data_bound, flat_loss, flat_metric, hints, waiting_share


def step(number: int, loss: float = 1.0, **more: Any) -> dict[str, Any]:
    return {"kind": "step", "stage": "train", "step": number, "steps": 5000, "loss": loss, **more}


def val(number: int, value: float) -> dict[str, Any]:
    return {"kind": "val", "stage": "train", "step": number, "metric": "pq", "value": value}


STAGE = {"kind": "stage", "stage": "train", "step": 0, "steps": 5000, "batch_size": 4}


@pytest.mark.parametrize(
    ("values", "is_flat"),
    [
        ([0.1, 0.3, 0.3, 0.3, 0.3], True),
        ([0.1, 0.3, 0.3, 0.3, 0.31], False),  # it still rises
        ([0.1, 0.2, 0.3, 0.3, 0.3], False),  # two without a better one are not enough
        ([0.3, 0.3, 0.3], False),
    ],
)
def test_a_metric_that_rises_no_more(values: list[float], is_flat: bool) -> None:
    """Validations every 500 steps; a fifth of the training is 1,000 steps."""
    found = flat_metric([STAGE, *(val(500 * n, value) for n, value in enumerate(values, 1))])
    assert bool(found) == is_flat
    if is_flat:
        assert found.startswith("PQ flat for 1,500 steps (best 0.300 at step 1,000): you can stop")


def test_a_short_time_is_not_flat() -> None:
    """Four validations within 400 steps of 5,000."""
    assert flat_metric([STAGE, *(val(100 * n, 0.3) for n in range(1, 6))]) == ""


def test_a_loss_that_falls_and_one_that_does_not() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, 4001)
    flat = [step(n, 1.0 + noise[n]) for n in range(1, 2101)]
    falling = [step(n, 2.0 - n / 4000 + noise[n]) for n in range(1, 2101)]
    assert flat_loss([STAGE, *flat]).startswith("Training loss flat for 1,000 steps")
    assert flat_loss([STAGE, *falling]) == ""
    assert flat_loss([STAGE, *flat[:1500]]) == "", "two windows are needed"
    assert flat_loss([STAGE, *flat, val(2100, 0.1)]) == "", "a validation knows better"


def test_waiting_for_pictures() -> None:
    """4 pictures at 8 a second take 0.5 s, 0.2 s of which are waiting."""
    steps = [step(n, images_per_second=8.0, data_wait_s=0.2) for n in range(1, 60)]
    assert waiting_share([STAGE, *steps]) == pytest.approx(0.4)
    assert "40 % of the time" in data_bound([STAGE, *steps])
    assert data_bound([STAGE, *(step(n, images_per_second=8.0, data_wait_s=0.01) for n in range(1, 60))]) == ""
    assert waiting_share([STAGE, step(1)]) is None
    assert waiting_share([]) is None


def test_warnings_of_the_last_start_come_first() -> None:
    events = [
        {"kind": "hello"}, {"kind": "warn", "message": "old"}, {"kind": "hello"},
        *({"kind": "warn", "message": f"warning {n}"} for n in range(5)),
    ]  # fmt: skip
    assert hints(events) == ["warning 2", "warning 3", "warning 4"]


def test_a_gpu_that_is_not_used() -> None:
    assert "pointanno doctor" in hints([], device="cpu", has_gpu=True)[0]
    assert hints([], device="cuda", has_gpu=True) == []
    assert hints([], device="cpu", eta_s=8 * 3600)[0].startswith("8 h 00 min on the processor")
    assert hints([], device="cpu", eta_s=600) == []
