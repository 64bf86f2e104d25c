"""The toy system, installed for tests and their child processes, and pictures for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import torch
from PIL import Image as Picture
from pycocotools import mask as mask_api

from pointanno.runs import RunFolder, TrainArguments, create_run


@dataclass(frozen=True)
class ToyData:
    images: Path
    points: Path
    masks: Path


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def toy_paths(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Folders for the module path: the toy package, and the entry point that announces it."""
    site = tmp_path_factory.mktemp("site")
    info = site / "toy_points-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-points\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("[pointanno.systems]\ntoy_points = toy_points:SYSTEM\n")
    return [str(Path(__file__).parent / "toy"), str(site)]


@pytest.fixture(autouse=True)
def toy_installed(toy_paths: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for path in toy_paths:
        monkeypatch.syspath_prepend(path)
    roots = [str(Path(__file__).parents[3] / root) for root in (".", "models", "plugins")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*toy_paths, *roots]))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def _disc(size: int, center: tuple[int, int], radius: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    rows, columns = np.mgrid[:size, :size]
    return np.asarray((columns - center[0]) ** 2 + (rows - center[1]) ** 2 <= radius**2)


@pytest.fixture(scope="session")
def toy_data(tmp_path_factory: pytest.TempPathFactory) -> ToyData:
    """Five pictures of 32 x 32 with two discs each; truth as points and as masks."""
    folder = tmp_path_factory.mktemp("toy_data")
    images = folder / "images"
    images.mkdir()
    rng = np.random.default_rng(0)
    records: dict[str, list[dict[str, Any]]] = {"images": [], "points": [], "masks": []}
    for number in range(1, 6):
        picture = rng.integers(0, 60, (32, 32, 3)).astype(np.uint8)
        records["images"].append({"id": number, "file_name": f"{number}.png", "height": 32, "width": 32})
        for center in ((8, 9), (22, 20)):
            mask = _disc(32, center, 5)
            picture[mask] += 150
            x, y = center[0] - 5, center[1] - 5
            coords = np.stack([rng.integers(x, x + 11, 10), rng.integers(y, y + 11, 10)], axis=1)
            rle = mask_api.encode(np.asfortranarray(mask.astype(np.uint8)))
            entry = {
                "id": len(records["masks"]) + 1,
                "image_id": number,
                "category_id": 7,
                "bbox": [x, y, 11, 11],
                "area": int(mask.sum()),
                "iscrowd": 0,
            }
            records["masks"].append({**entry, "segmentation": {"size": rle["size"], "counts": rle["counts"].decode()}})
            records["points"].append(
                {
                    **entry,
                    "point_coords": coords.tolist(),
                    "point_labels": mask[coords[:, 1], coords[:, 0]].astype(int).tolist(),
                }
            )
        Picture.fromarray(picture).save(images / f"{number}.png")
    categories = [{"id": 7, "name": "disc", "supercategory": "", "isthing": 1}]
    for name in ("points", "masks"):
        content = {"images": records["images"], "annotations": records[name], "categories": categories}
        (folder / f"{name}.json").write_bytes(orjson.dumps(content))
    return ToyData(images=images, points=folder / "points.json", masks=folder / "masks.json")


MakeRun = Callable[..., RunFolder]


@pytest.fixture
def make_run(toy_data: ToyData, tmp_path: Path) -> MakeRun:
    """Create a run folder of the toy system: `make_run("name", "train.steps=4", val=...)`."""

    def make(name: str, *overrides: str, **options: Any) -> RunFolder:
        arguments = TrainArguments(
            data=options.pop("data", toy_data.points),
            images=toy_data.images,
            system="toy_points",
            overrides=overrides,
            device="cpu",
            **options,
        )
        return create_run(arguments, tmp_path / name)

    return make
