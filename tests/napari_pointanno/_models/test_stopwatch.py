from __future__ import annotations

from napari_pointanno._models.stopwatch import Stopwatch

MS = 1_000_000


def test_measures_from_the_start() -> None:
    watch = Stopwatch()
    watch.start(5 * MS)
    assert watch.elapsed_ms(105 * MS) == 100


def test_nothing_started_is_none() -> None:
    watch = Stopwatch()
    assert watch.elapsed_ms(5) is None
    watch.start(5)
    watch.stop()
    assert watch.elapsed_ms(9) is None


def test_an_input_before_the_start_has_no_time() -> None:
    watch = Stopwatch()
    watch.start(10 * MS)
    assert watch.elapsed_ms(9 * MS) is None


def test_two_overlapping_reasons_are_left_out_once() -> None:
    """100 ms, of which 20 ... 70 are not counted: 50."""
    watch = Stopwatch()
    watch.start(0)
    watch.suspend("focus", 20 * MS)
    watch.suspend("pause", 30 * MS)
    watch.resume("focus", 60 * MS)
    watch.resume("pause", 70 * MS)
    assert watch.elapsed_ms(100 * MS) == 50


def test_a_start_while_suspended_counts_from_the_end_of_the_suspension() -> None:
    watch = Stopwatch()
    watch.suspend("pause", 0)
    watch.start(10 * MS)
    assert watch.elapsed_ms(20 * MS) == 0
    watch.resume("pause", 30 * MS)
    assert watch.elapsed_ms(75 * MS) == 45


def test_resuming_what_was_not_suspended_changes_nothing() -> None:
    watch = Stopwatch()
    watch.start(0)
    watch.resume("focus", 50 * MS)
    assert watch.elapsed_ms(60 * MS) == 60
