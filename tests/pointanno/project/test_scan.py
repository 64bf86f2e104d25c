"""Which pictures a new project gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from pointanno.dataset import Image
from pointanno.errors import InputError
from pointanno.project.scan import image_uid, relative_folder, scan_images


def test_listed_images_keep_their_ids_and_order(pictures: Path) -> None:
    listed = [Image(30, "a3.png", 40, 60), Image(10, "a1.png", 40, 60), Image(11, "a1.png", 40, 60)]
    scan = scan_images(pictures, listed)
    assert [(row["id"], row["position"], row["file_name"]) for row in scan.rows] == [
        (30, 0, "a3.png"),
        (10, 1, "a1.png"),
    ]
    assert scan.skipped == ["a1.png: listed twice; only the first entry is used"]


def test_a_wrong_size_in_the_file_is_said(pictures: Path) -> None:
    scan = scan_images(pictures, [Image(1, "a1.png", 40, 60), Image(2, "a2.png", 60, 40)])
    assert len(scan.rows) == 1 and "lists it as 40 wide and 60 high, but the picture is 60 wide" in scan.skipped[0]


def test_progress_and_missing_folder(pictures: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    scan_images(pictures, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(InputError, match="the folder of the images is missing"):
        scan_images(tmp_path / "no")


def test_uid_follows_from_the_name_alone(tmp_path: Path) -> None:
    assert image_uid("a.png") == image_uid("a.png") != image_uid("b.png")
    assert len(image_uid("a.png")) == 32
    assert relative_folder(tmp_path / "images", tmp_path / "x.pointanno") == "../images"
