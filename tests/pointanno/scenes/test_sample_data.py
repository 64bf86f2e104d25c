"""The sample data in the repository is what its README's command writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from PIL import Image as PillowImage

from pointanno.errors import InputError
from pointanno.formats import read_dataset
from pointanno.formats.validate import validate_file
from pointanno.scenes import write_scenes

SAMPLES = Path(__file__).parents[3] / "sample_data"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("scenes"), count=12, size=128, seed=0)


def test_the_same_files(fresh: Path) -> None:
    written = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
    kept = {path.relative_to(SAMPLES) for path in SAMPLES.rglob("*") if path.is_file()} - {Path("README.md")}
    assert kept == written
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 500_000


def test_the_same_content(fresh: Path) -> None:
    for name in ("instances.json", "panoptic.json", "points.json"):
        assert orjson.loads((fresh / name).read_bytes()) == orjson.loads((SAMPLES / name).read_bytes()), name
    for path in (fresh / "panoptic").iterdir():
        assert np.array_equal(_pixels(path), _pixels(SAMPLES / "panoptic" / path.name)), path.name
    for path in (fresh / "images").iterdir():
        difference = _pixels(path).astype(int) - _pixels(SAMPLES / "images" / path.name)
        # another processor may round a sine differently: one level in a few pixels
        assert np.abs(difference).max() <= 4 and np.count_nonzero(difference) < 50, path.name


def test_all_files_are_valid_and_agree(fresh: Path) -> None:
    for name in ("instances.json", "panoptic.json", "points.json"):
        assert validate_file(SAMPLES / name, images=SAMPLES / "images") == [], name
    assert validate_file(SAMPLES / "points.json", strict=True) == []
    truth, points = read_dataset(SAMPLES / "panoptic.json"), read_dataset(SAMPLES / "points.json")
    things = [instance for instance in truth.instances if instance.category_id < 10]
    assert [instance.box for instance in points.instances] == [instance.box for instance in things]
    assert len(points.targets) == len(truth.instances) - len(things)
    assert {len(instance.points) for instance in points.instances} == {10}


@pytest.mark.parametrize(
    ("options", "message"),
    [({"count": 0}, "--count"), ({"size": 10}, "--size: expected 48 pixels or more"), ({"seed": -1}, "--seed")],
)
def test_bad_options_are_named(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        write_scenes(tmp_path, **options)


def _pixels(path: Path) -> np.ndarray:
    with PillowImage.open(path) as picture:
        return np.asarray(picture)
