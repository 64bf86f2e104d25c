from __future__ import annotations

import shutil
from pathlib import Path

import orjson
import pytest
from PIL import Image as PillowImage

from pointanno.errors import InputError
from pointanno.evaluation import evaluate_files
from pointanno.scenes import write_scenes


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("scenes"), count=3, size=64)


def _copy(scenes: Path, path: Path) -> dict[str, list[dict[str, object]]]:
    shutil.copytree(scenes / "panoptic", path.with_suffix(""))
    data: dict[str, list[dict[str, object]]] = orjson.loads((scenes / "panoptic.json").read_bytes())
    return data


def test_the_file_tells_the_metric(scenes: Path, tmp_path: Path) -> None:
    truth = scenes / "panoptic.json"
    assert evaluate_files(truth, truth)["metric"] == "pq"
    assert evaluate_files(truth, truth, "miou")["miou"] == 1.0
    (tmp_path / "results.json").write_text("[]")
    for gt in ("instances.json", "panoptic.json"):
        result = evaluate_files(scenes / gt, tmp_path / "results.json")
        assert (result["metric"], result["ap"]) == ("ap", 0.0)
        assert set(result["max_detections"]) == {"100", "500"}


def test_pictures_are_joined_by_name_whatever_their_ids(scenes: Path, tmp_path: Path) -> None:
    data = _copy(scenes, tmp_path / "p.json")
    for entry in (*data["images"], *data["annotations"]):
        key = "id" if "id" in entry else "image_id"
        entry[key] = 100 - int(str(entry[key]))
    (tmp_path / "p.json").write_bytes(orjson.dumps(data))
    assert evaluate_files(scenes / "panoptic.json", tmp_path / "p.json")["all"]["pq"] == 1.0


def test_without_names_pictures_are_joined_by_id(scenes: Path, tmp_path: Path) -> None:
    data = _copy(scenes, tmp_path / "p.json")
    (tmp_path / "p.json").write_bytes(orjson.dumps({"annotations": data["annotations"]}))
    assert evaluate_files(scenes / "panoptic.json", tmp_path / "p.json")["all"]["pq"] == 1.0


def test_a_picture_without_prediction_is_named(scenes: Path, tmp_path: Path) -> None:
    data = _copy(scenes, tmp_path / "p.json")
    data["annotations"].pop()
    (tmp_path / "p.json").write_bytes(orjson.dumps(data))
    with pytest.raises(InputError, match=r"picture scene_0002\.png \(image 3\) has no prediction"):
        evaluate_files(scenes / "panoptic.json", tmp_path / "p.json")


def test_files_that_do_not_fit_are_named(scenes: Path, tmp_path: Path) -> None:
    instances, panoptic, results = scenes / "instances.json", scenes / "panoptic.json", tmp_path / "r.json"
    results.write_text("[]")
    with pytest.raises(InputError, match=r"panoptic\.json: AP needs a COCO results list"):
        evaluate_files(instances, panoptic, "ap")
    with pytest.raises(InputError, match=r"r\.json: pq needs panoptic predictions, but this is a list of results"):
        evaluate_files(panoptic, results, "pq")
    with pytest.raises(InputError, match=r"instances\.json: miou needs a panoptic truth, but this is coco-instances"):
        evaluate_files(instances, panoptic, "miou")
    with pytest.raises(InputError, match="--fill-boxes"):
        evaluate_files(panoptic, panoptic, fill_boxes=True)
    results.write_text('[{"image_id": 9}]')
    with pytest.raises(InputError, match=r"r\.json, entry 0: image_id 9 is not a picture"):
        evaluate_files(instances, results)
    with pytest.raises(InputError, match=r"points\.json, annotation 1: segmentation is missing; AP of masks needs it"):
        evaluate_files(scenes / "points.json", results)


def test_a_truth_of_another_size_is_not_blamed_on_the_prediction(scenes: Path, tmp_path: Path) -> None:
    shutil.copytree(scenes / "panoptic", tmp_path / "gt")
    shutil.copy(scenes / "panoptic.json", tmp_path / "gt.json")
    png = sorted((tmp_path / "gt").iterdir())[0]
    with PillowImage.open(png) as picture:
        cut = picture.crop((0, 0, 5, 5))
    cut.save(png)
    with pytest.raises(InputError, match="the truth's PNG has 5 x 5 pixels"):
        evaluate_files(tmp_path / "gt.json", scenes / "panoptic.json")
