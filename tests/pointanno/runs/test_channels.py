from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from pointanno.dataset import Image
from pointanno.errors import InputError
from pointanno.runs.channels import resolve_channels

RECIPE = {"data": {"channels": 0, "crop": 8}, "train": {"steps": 1}}


def _pictures(*names: str) -> tuple[Image, ...]:
    return tuple(Image(number, name, 8, 8) for number, name in enumerate(names, start=1))


def test_the_number_of_channels_is_written_down(tmp_path: Path) -> None:
    for name in ("a.tif", "b.tif"):
        tifffile.imwrite(tmp_path / name, np.zeros((5, 8, 8), np.uint16), metadata={"axes": "CYX"}, photometric=0)
    assert resolve_channels(RECIPE, _pictures("a.tif", "b.tif"), tmp_path) == {
        "data": {"channels": 5, "crop": 8}, "train": {"steps": 1},
    }  # fmt: skip
    assert RECIPE["data"]["channels"] == 0


def test_colour_pictures_stay_colour_whatever_their_alpha(tmp_path: Path) -> None:
    PillowImage.new("RGB", (8, 8)).save(tmp_path / "a.png")
    PillowImage.new("RGBA", (8, 8)).save(tmp_path / "b.png")
    assert resolve_channels(RECIPE, _pictures("a.png", "b.png"), tmp_path)["data"]["channels"] == 3


def test_other_recipes_are_left_alone(tmp_path: Path) -> None:
    recipes: list[dict[str, dict[str, int]]] = [{"data": {"channels": 3}}, {"data": {}}, {"network": {}}]
    for recipe in recipes:
        assert resolve_channels(recipe, _pictures("missing.png"), tmp_path) == recipe


def test_pictures_that_differ_are_refused_in_words(tmp_path: Path) -> None:
    PillowImage.new("RGB", (8, 8)).save(tmp_path / "a.png")
    PillowImage.new("L", (8, 8)).save(tmp_path / "b.png")
    with pytest.raises(InputError, match=r"a\.png has 3 channels, but b\.png has 1; .*data\.channels=3"):
        resolve_channels(RECIPE, _pictures("a.png", "b.png"), tmp_path)
    with pytest.raises(InputError, match="has no pictures"):
        resolve_channels(RECIPE, (), tmp_path)
    with pytest.raises(InputError, match="missing"):
        resolve_channels(RECIPE, _pictures("c.png"), tmp_path)
