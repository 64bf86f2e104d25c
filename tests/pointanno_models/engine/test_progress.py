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
    speed.pause(is_repeated=False)
    now = 102.0
    assert speed.tick(5) == (2.0, 10.0)


class Clock:
    """Steps that take as long as a test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("pointanno_models.engine.progress.time.perf_counter", lambda: self.now)


def test_what_comes_between_steps_is_in_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of 2 s and 8 s of validation after two of them: 2 + 8/2 s for each of the 8 that are left."""
    clock = Clock(monkeypatch)
    speed = Speed(batch_size=4, steps=10, _last=0.0)
    clock.now = 5.0
    speed.pause()  # before the first step: nothing that comes again
    for step in (1, 2):
        clock.now += 2
        speed.tick(step)
    clock.now += 8
    speed.pause()
    clock.now += 2
    images_per_second, left = speed.tick(3)
    assert images_per_second == pytest.approx(2.0)
    assert left == pytest.approx(7 * (2 + 8 / 3))
    # a pause that a person asked for is not expected again
    clock.now += 1000
    speed.pause(is_repeated=False)
    clock.now += 2
    assert speed.tick(4)[1] == pytest.approx(6 * (2 + 8 / 4))


def test_spread_of_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 5 s or more with 1, 2 and 3 s a step: their standard deviation is 1 s, times 80 steps left."""
    clock = Clock(monkeypatch)
    speed = Speed(batch_size=1, steps=100, _last=0.0)
    step = 0

    def go(seconds: float, count: int) -> None:
        nonlocal step
        for _ in range(count):
            clock.now += seconds
            step += 1
            speed.tick(step)

    go(9.0, 3)  # the first steps import
    go(1.0, 5)
    go(2.0, 3)
    assert speed.eta_spread_s is None
    go(3.0, 2)
    assert speed.eta_spread_s == pytest.approx(1.0 * (100 - 13))
    go(3.0, 1)
    assert speed.eta_spread_s == pytest.approx(1.0 * (100 - 14)), "a block that is not full does not count"
