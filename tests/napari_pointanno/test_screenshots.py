from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from napari_pointanno.screenshots import MOST_BYTES, annotated_project, save


def test_the_perfect_annotator(tmp_path: Path) -> None:
    with annotated_project(tmp_path, scenes=2, size=64) as project:
        first, second = project.images()
        assert first.boxes > 0
        assert second.boxes > 0
        left = [box.next_point is not None for box in project.annotations(first.id).boxes]
        assert left == [False] * (len(left) - 1) + [True]
        assert all(box.next_point is None for box in project.annotations(second.id).boxes)
        assert any(not click.isthing for click in project.annotations(first.id).clicks)


def test_pictures_stay_small(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (700, 900, 4), dtype=np.uint8)
    save(noise, tmp_path / "a" / "out.png")
    with Image.open(tmp_path / "a" / "out.png") as picture:
        assert picture.size == (900, 700)
    plain = np.zeros((900, 1400, 4), dtype=np.uint8)
    save(plain, tmp_path / "plain.png")
    assert (tmp_path / "plain.png").stat().st_size < MOST_BYTES
