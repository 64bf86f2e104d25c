from __future__ import annotations

from pathlib import Path

import pytest

from napari_pointanno._models import image_cache, shown_picture
from napari_pointanno._models.image_cache import KEPT, ImageCache
from pointanno.errors import InputError
from pointanno.pictures import Picture, open_picture


def test_a_picture_is_read_once(images_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []

    def count(path: Path) -> Picture:
        read.append(path)
        return open_picture(path)

    monkeypatch.setattr(shown_picture, "open_picture", count)
    cache = ImageCache()
    cache.prefetch(images_folder / "a.png")
    assert cache.read(images_folder / "a.png").levels[0].shape == (60, 80, 3)
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
    assert cache.read(path).levels[0].shape == (60, 80, 3)
    cache.close()


def test_large_pictures_leave_but_never_the_one_that_is_shown(
    images_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_cache, "KEPT_BYTES", 60 * 80 * 3 + 1)
    cache = ImageCache()
    shown = cache.read(images_folder / "a.png")
    cache.prefetch(images_folder / "b.png")
    cache._futures[images_folder / "b.png"].result()
    cache.prefetch(images_folder / "c.png")
    assert images_folder / "b.png" not in cache._futures
    assert cache.read(images_folder / "a.png") is shown
    cache.close()
