"""Microscope pictures from the file to the prediction: five channels of 16 bits, small and tiled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest
import tifffile

from pointanno.errors import InputError
from pointanno.images import read_image
from pointanno.runs import RunFolder, TrainArguments, create_run
from pointanno.scenes import write_scenes
from pointanno_models.engine.folder_prediction import predict_folder
from pointanno_models.engine.prediction import Predictor
from pointanno_models.engine.tiling import tiles_of
from pointanno_models.engine.worker import train


@pytest.fixture(scope="module")
def microscope(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generated scenes as OME-TIFF of five channels with different gains; the fourth is noise."""
    folder = write_scenes(tmp_path_factory.mktemp("microscope"), 3, 96, seed=3)
    (folder / "tiff").mkdir()
    rng = np.random.default_rng(0)
    points = orjson.loads((folder / "points.json").read_bytes())
    for image in points["images"]:
        colour = read_image(folder / "images" / image["file_name"]).astype(np.float32)
        noise = rng.uniform(0, 255, colour.shape[:2])
        five = np.stack([colour[..., 0] * 200, colour[..., 1] * 3, colour[..., 2] + 900, noise, colour.mean(-1) * 50])
        image["file_name"] = Path(image["file_name"]).with_suffix(".ome.tif").name
        tifffile.imwrite(folder / "tiff" / image["file_name"], five.astype(np.uint16), metadata={"axes": "CYX"})
    (folder / "five.json").write_bytes(orjson.dumps(points))
    return folder


def _run(folder: Path, path: Path, *overrides: str) -> RunFolder:
    arguments = TrainArguments(
        data=folder / "five.json",
        images=folder / "tiff",
        system="point_sup",
        overrides=("train.batch_size=2", "data.crop=64", "detector.detections_per_img=20", *overrides),
        steps=3,
        threads=1,
        device="cpu",
    )
    return create_run(arguments, path)


def test_five_channels_are_trained_and_predicted(microscope: Path, tmp_path: Path) -> None:
    run = _run(microscope, tmp_path / "run", "data.channels=0", "test.tile=64", "test.tile_overlap=24")
    assert run.recipe()["data"]["channels"] == 5
    train(run)
    losses = [orjson.loads(line) for line in (run.path / "events.jsonl").read_bytes().splitlines()]
    steps = [event["loss"] for event in losses if event["kind"] == "step"]
    assert len(steps) == 3
    assert np.isfinite(steps).all()
    predictor = Predictor(run, "last", "cpu")
    first = next(predictor.network.parameters())
    assert first.shape[1] == 5
    predictor.network.roi_heads.score_thresh = 0.0  # type: ignore[union-attr]
    picture = read_image(next((microscope / "tiff").iterdir()))
    assert len(tiles_of(picture.shape[:2], predictor.system.tiling())) == 4
    found = predictor(picture)
    assert len(found) > 0  # type: ignore[arg-type]
    assert all(tuple(rle["size"]) == (96, 96) for rle in found.rles)  # type: ignore[union-attr]
    # channels that trade places are another picture to the network
    swapped = predictor(np.ascontiguousarray(picture[..., ::-1]))
    assert not np.array_equal(found.scores[:5], swapped.scores[:5])  # type: ignore[union-attr]
    with pytest.raises(InputError, match=r"has 3 channels, but the network takes 5"):
        predictor(picture[..., :3])
    report = predict_folder(run, microscope / "tiff", tmp_path / "out.json", checkpoint="last", on_skip=pytest.fail)
    assert report["pictures"] == 3
    assert report["notes"] == []
    left_out: list[str] = []
    report = predict_folder(run, microscope / "images", tmp_path / "o.json", checkpoint="last", on_skip=left_out.append)
    assert report["pictures"] == 0
    assert len(left_out) == 3
    assert "network takes 5" in left_out[0]


def test_unfrozen_channels_and_wrong_files_are_named(microscope: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.ome\.tif: the picture has 5 channels, but the network takes 4"):
        train(_run(microscope, tmp_path / "four", "data.channels=4"))
    stack = microscope / "stacks"
    stack.mkdir()
    for path in (microscope / "tiff").iterdir():  # the same pages without a name: planes, not channels
        tifffile.imwrite(stack / path.name, read_image(path).transpose(2, 0, 1), photometric="minisblack", ome=False)
    arguments = TrainArguments(
        data=microscope / "five.json", images=stack, system="point_sup", overrides=("data.channels=0",)
    )
    assert create_run(arguments, tmp_path / "one").recipe()["data"]["channels"] == 1
