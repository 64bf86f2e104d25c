from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from napari_pointanno.readers import get_points_reader, get_project_reader, read_points
from pointanno.errors import InputError
from pointanno.formats import FORMATS


def test_only_our_own_files() -> None:
    assert get_project_reader("a/b.pointanno/") is not None
    assert get_project_reader("a.png") is None
    assert get_points_reader(["x.coco-points.json"]) is not None
    assert get_points_reader("x.json") is None


def test_points_become_layers(desktop: Any, tmp_path: Path) -> None:
    desktop.person.click(7, 3)
    desktop.person.key("W")
    desktop.person.drag(10, 10, 50, 40)
    for key in "FJU":
        desktop.person.key(key)
    file = tmp_path / "set.coco-points.json"
    FORMATS["coco-point"].write(desktop.project.dataset(), file)
    image, shapes, points = read_points(str(file))
    assert (image[2], shapes[2], points[2]) == ("image", "shapes", "points")
    assert points[0].tolist()[-1] == [3, 7]
    assert points[1]["features"]["label"] == ["object", "background", "unsure", "click"]


def test_nothing_to_show_is_said(desktop: Any, tmp_path: Path) -> None:
    file = tmp_path / "set.coco-points.json"
    FORMATS["coco-point"].write(desktop.project.dataset(), file)
    with pytest.raises(InputError, match="nothing to show"):
        read_points(str(file))
