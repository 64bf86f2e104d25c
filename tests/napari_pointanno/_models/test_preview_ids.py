from __future__ import annotations

import numpy as np

from napari_pointanno._models.preview_ids import relabelled, stable_ids


def _segment(number: int, category: int) -> dict[str, int]:
    return {"id": number, "category_id": category}


def test_the_first_preview_is_numbered_from_one() -> None:
    labels = np.array([[7, 7], [0, 9]], dtype=np.uint16)
    assert stable_ids(None, {}, labels, [_segment(7, 1), _segment(9, 1)]) == {7: 1, 9: 2}


def test_swapped_ids_follow_the_objects() -> None:
    before = np.array([[1, 1, 0, 2, 2]], dtype=np.uint8)
    labels = np.array([[2, 2, 0, 1, 1]], dtype=np.uint16)
    ids = stable_ids(before, {1: 5, 2: 5}, labels, [_segment(1, 5), _segment(2, 5)])
    assert ids == {2: 1, 1: 2}
    assert relabelled(labels, ids).tolist() == before.tolist()


def test_a_change_of_class_is_another_object() -> None:
    before = np.array([[1, 1, 1]], dtype=np.uint8)
    labels = np.array([[1, 1, 1]], dtype=np.uint16)
    assert stable_ids(before, {1: 5}, labels, [_segment(1, 6)]) == {1: 1}
    assert stable_ids(before, {1: 5, 2: 6}, labels, [_segment(1, 6)])[1] == 1


def test_new_objects_get_free_ids() -> None:
    before = np.array([[2, 2, 0, 0]], dtype=np.uint8)
    labels = np.array([[1, 1, 0, 3]], dtype=np.uint16)
    assert stable_ids(before, {2: 5}, labels, [_segment(1, 5), _segment(3, 5)]) == {1: 2, 3: 1}


def test_the_whole_assignment_is_best_not_each_for_itself() -> None:
    """Old 1 overlaps both new ones, old 2 only the second: 1 -> first although 1 fits the second better.

    Old 1 = pixels 0-9, old 2 = 10-11. New a = 0-3 (IoU 0.4 with 1), new b = 4-11 (IoU 0.5 with 1, 0.25 with 2).
    Sums: (1a, 2b) = 0.65, (1b) alone = 0.5.
    """
    before = np.array([[1] * 10 + [2] * 2], dtype=np.uint8)
    labels = np.array([[3] * 4 + [4] * 8], dtype=np.uint16)
    assert stable_ids(before, {1: 5, 2: 5}, labels, [_segment(3, 5), _segment(4, 5)]) == {3: 1, 4: 2}


def test_another_size_starts_anew() -> None:
    labels = np.ones((2, 2), dtype=np.uint16)
    assert stable_ids(np.ones((3, 3), dtype=np.uint8), {1: 5}, labels, [_segment(1, 5)]) == {1: 1}


def test_the_smallest_type_that_fits() -> None:
    assert relabelled(np.array([[300]], dtype=np.uint16), {300: 4}).dtype == np.uint8
    assert relabelled(np.array([[3]], dtype=np.uint16), {3: 256}).dtype == np.uint16
    assert relabelled(np.zeros((2, 2), dtype=np.uint16), {}).tolist() == [[0, 0], [0, 0]]
