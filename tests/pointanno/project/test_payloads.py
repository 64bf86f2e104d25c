"""What an event may carry, and the sentence for what it may not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pointanno.errors import InputError
from pointanno.project.payloads import ANNOTATING, RAW_KINDS, checked

UID = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("kind", "payload", "words"),
    [
        ("clack", {}, "event: kind 'clack' is not known"),
        ("click", {"category_id": 1, "x": 1, "y": 1}, "click, uid: Field required"),
        ("click", {"uid": "short", "category_id": 1, "x": 1, "y": 1}, "click, uid:"),
        ("click", {"uid": UID, "category_id": 1, "x": -1, "y": 1}, "click, x:"),
        ("click", {"uid": UID, "category_id": 1, "x": 1.5, "y": 1}, "click, x:"),
        ("click", {"uid": UID, "category_id": 1, "x": 1, "y": 1, "time": 3}, "click, time:"),
        ("answer", {"uid": UID, "point": 0, "value": "maybe"}, "answer, value:"),
        ("answer", {"uid": UID, "point": 0, "value": "object", "time_ms": -3}, "answer, time_ms:"),
        ("box", {"uid": UID, "category_id": 1, "box": [5, 0, 5, 9], "point_coords": []}, "x1 > x0 and y1 > y0"),
        ("box", {"uid": UID, "category_id": 1, "box": [0, 0, float("nan"), 9], "point_coords": []}, "box, box.2:"),
        ("category_added", {"id": 1, "name": "", "isthing": True}, "category_added, name:"),
        ("category_changed", {"id": 1, "color": [0, 0, 300]}, "category_changed, color.2:"),
    ],
)
def test_refusals_name_kind_and_field(kind: str, payload: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as refused:
        checked(kind, payload)
    assert words in str(refused.value) and "\n" not in str(refused.value)


def test_numpy_values_become_plain() -> None:
    coords = np.array([[1, 2], [3, 4]], dtype=np.int32)
    found = checked(
        "box", {"uid": UID, "category_id": np.int64(1), "box": np.array([0, 0.5, 9, 9]), "point_coords": coords}
    )
    assert found == {"uid": UID, "category_id": 1, "box": [0.0, 0.5, 9.0, 9.0], "point_coords": [[1, 2], [3, 4]]}
    assert checked("press", {"at": np.float32(2.5), "n": (1, np.int8(2))}) == {"at": 2.5, "n": [1, 2]}


def test_kinds_do_not_overlap() -> None:
    assert not RAW_KINDS & set(ANNOTATING)
