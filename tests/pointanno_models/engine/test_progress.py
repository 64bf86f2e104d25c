from __future__ import annotations

import pytest

from pointanno_models.engine.progress import SmoothedLoss, Speed


def test_smoothed_loss_is_a_mean_at_first() -> None:
    """(0.99 * 0.01 * 1 + 0.01 * 3) / (0.99 * 0.01 + 0.01) = 0.0399 / 0.0199."""
    loss = SmoothedLoss()
    assert loss.value is None
    loss.update(1.0)
    assert loss.value == pytest.approx(1.0)
    loss.update(3.0)
    assert loss.value == pytest.approx(0.0399 / 0.0199)


def test_speed_leaves_pauses_out(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("pointanno_models.engine.progress.time.perf_counter", lambda: now)
    speed = Speed(batch_size=4, steps=10, _last=0.0)
    now = 2.0
    assert speed.tick(1) == (2.0, 18.0)
    now = 100.0
    speed.pause()
    now = 102.0
    assert speed.tick(5) == (2.0, 10.0)
