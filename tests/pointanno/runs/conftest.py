"""Files that a run can be created from."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from pointanno.runs import TrainArguments


@pytest.fixture
def arguments(tmp_path: Path) -> TrainArguments:
    images = tmp_path / "images"
    images.mkdir()
    data = tmp_path / "points.json"
    data.write_bytes(orjson.dumps({"images": [], "annotations": [], "categories": []}))
    return TrainArguments(data=data, images=images)
