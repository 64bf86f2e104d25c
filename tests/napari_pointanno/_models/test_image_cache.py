from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from napari_pointanno._models import image_cache
from napari_pointanno._models.image_cache import KEPT, ImageCache
from pointanno.errors import InputError
from pointanno.images import read_image


def test_a_picture_is_read_once(images_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []

    def count(path: Path) -> NDArray[Any]:
        read.append(path)
        return read_image(path)

    monkeypatch.setattr(image_cache, "read_image", count)
    cache = ImageCache()
    cache.prefetch(images_folder / "a.png")
    assert cache.read(images_folder / "a.png").shape == (60, 80, 3)
    cache.read(images_folder / "a.png")
    assert read == [images_folder / "a.png"]
    cache.close()


def test_only_a_few_are_kept(images_folder: Path) -> None:
    cache = ImageCache()
    for number in range(KEPT + 2):
        path = images_folder / f"copy{number}.png"
        path.write_bytes((images_folder / "a.png").read_bytes())
        cache.read(path)
    assert len(cache._futures) == KEPT
    cache.close()


def test_a_broken_picture_is_tried_anew(images_folder: Path) -> None:
    path = images_folder / "late.png"
    cache = ImageCache()
    with pytest.raises(InputError, match=r"late\.png"):
        cache.read(path)
    path.write_bytes((images_folder / "a.png").read_bytes())
    assert cache.read(path).shape == (60, 80, 3)
    cache.close()
