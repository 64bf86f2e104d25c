"""Benchmarks of panoptic systems: scenes made for them, PQ in the table, pictures of segments."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from PIL import Image as PillowImage

from pointanno.benchmark.metrics import AP, PQ
from pointanno.benchmark.pictures import draw_pictures
from pointanno.benchmark.plan import Plan, Row, available_benchmarks, read_plan, resolve_row
from pointanno.benchmark.results import result_file
from pointanno.benchmark.table import make_table, table_to_markdown
from pointanno.errors import InputError
from pointanno.runs.atomic import replace_json

PLAN = """
title = "Toy, panoptic"
metric = "pq"

[[data_sets]]
name = "drawn"
title = "Drawn"
scenes = { size = 48, train = 3, val = 2 }

[schedules.small]
title = "as they ship"

[[rows]]
name = "masks"
title = "masks"
data_set = "drawn"

[[rows]]
name = "one-point"
title = "P1"
data_set = "drawn"
protocol = "single-point"
points = 1
twin = "masks"
overrides = ["train.batch_size=2"]

[[ratios]]
title = "P1 / masks"
of = "one-point"
to = "masks"
"""


@pytest.fixture
def rows(toy_installed: None, tmp_path: Path) -> tuple[Plan, list[Row]]:
    path = tmp_path / "panoptic.toml"
    path.write_text(PLAN, encoding="utf-8")
    descriptor, plan = read_plan("toy-points", path)
    return plan, [
        resolve_row(plan, row, descriptor, schedule="small", steps=None, data=tmp_path / "none", out=tmp_path / "out")
        for row in plan.rows
    ]


def test_scenes_are_made_once_and_no_picture_is_in_both_halves(rows: tuple[Plan, list[Row]]) -> None:
    row = rows[1][0]
    with pytest.raises(InputError, match="row masks needs this file"):
        row.check_data()
    row.make_scenes()
    row.check_data()
    assert row.val_truth == row.out / "scenes" / "drawn" / "val" / "panoptic.json"
    before = row.val_truth.stat().st_mtime_ns
    train, val = ({path.read_bytes() for path in folder.glob("*.png")} for folder in (row.train_images, row.val_images))
    assert (len(train), len(val)) == (3, 2) and not train & val
    row.make_scenes()
    assert row.val_truth.stat().st_mtime_ns == before


def _evaluated(pq: float) -> Mapping[str, Any]:
    part = {"sq": 0.8, "rq": 0.5, "n": 3}
    return {
        "metric": "pq", "all": {"pq": pq, **part}, "things": {"pq": pq / 2, **part}, "stuff": {"pq": None, **part},
        "per_class": {"1": {"pq": pq}},
    }  # fmt: skip


def test_the_table_has_panoptic_columns_and_ratios(rows: tuple[Plan, list[Row]], tmp_path: Path) -> None:
    plan, found = rows
    asked: list[list[str]] = []

    def run(words: list[str]) -> Mapping[str, Any]:
        asked.append(words)
        return _evaluated(0.6 if "masks" in words[2] else 0.45)

    for row in found:
        row.make_scenes()
        scores = PQ.evaluate(row.val_truth, Path(row.name), run)
        result = {"row": row.name, "title": row.plan.title, "data_set": "drawn", "seed": 0, "schedule": "small",
                  "pq": scores["pq"], "training": {"seconds": 7}, "machine": {"text": "it"},
                  "key": row.key()}  # fmt: skip
        assert PQ.main_value(result) == (0.6 if row.name == "masks" else 0.45)
        row.folder.mkdir(parents=True)
        replace_json(result_file(row), result)
    assert asked[0] == ["evaluate", str(found[0].val_truth), "masks", "--metric", "pq"]
    table = make_table(plan, found)
    assert table["rows"][1]["of_twin"]["all"] == {
        "pq": pytest.approx(0.75), "pq_things": pytest.approx(0.75), "pq_stuff": None, "sq": 1.0, "rq": 1.0,
    }  # fmt: skip
    text = table_to_markdown(table)
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    assert ["trained on", "PQ", "PQ things", "PQ stuff", "SQ", "RQ", "of the twin", "training", "machine"] in lines
    assert ["P1", "0.450", "0.225", "-", "0.800", "0.500", "0.750", "7 s", "it"] in lines
    assert ["P1 / masks", "0.750", "0.750", "-", "1.000", "1.000"] in lines
    truth = orjson.loads(found[0].val_truth.read_bytes())
    segments = sum(len(one["segments_info"]) for one in truth["annotations"])
    assert f"2 with {segments} to measure on" in text and "AP" not in text.split("## Ratios")[0].split("|")[1]


def test_pictures_show_truth_and_prediction(rows: tuple[Plan, list[Row]], tmp_path: Path) -> None:
    row = rows[1][0]
    row.make_scenes()
    row.folder.mkdir(parents=True)
    predictions = tmp_path / "pred.json"
    shutil.copy(row.val_truth, predictions)
    shutil.copytree(row.val_truth.with_suffix(""), predictions.with_suffix(""))
    files = draw_pictures(row, predictions)
    assert len(files) == 2
    drawn = np.asarray(PillowImage.open(files[0]))
    assert drawn.shape == (480, 966, 3) and (drawn[:, :480] == drawn[:, -480:]).all()
    content = orjson.loads(predictions.read_bytes())
    for annotation in content["annotations"]:
        annotation["segments_info"] = annotation["segments_info"][:1]
    predictions.write_bytes(orjson.dumps(content))
    drawn = np.asarray(PillowImage.open(draw_pictures(row, predictions)[0]))
    assert (drawn[:, :480] != drawn[:, -480:]).any()


def test_ap_asks_for_both_limits_and_for_filled_boxes() -> None:
    values = {"ap": 0.5, "ap50": 0.7, "ap75": 0.4, "per_class": {"1": 0.5}}
    asked: list[list[str]] = []

    def run(words: list[str]) -> Mapping[str, Any]:
        asked.append(words)
        return {"max_detections": {"100": values, "500": values}, "detections": 9, "most_objects_in_an_image": 4}

    scores = AP.evaluate(Path("gt.json"), Path("pred.json"), run)
    assert asked == [
        ["evaluate", "gt.json", "pred.json", "--metric", "ap", "--max-dets", "100", "500"],
        ["evaluate", "gt.json", "pred.json", "--metric", "ap", "--max-dets", "100", "500", "--fill-boxes"],
    ]
    assert scores["boxes_filled"]["100"] == {"ap": 0.5, "ap50": 0.7, "ap75": 0.4}
    assert scores["measured"] == {"detections": 9, "most_objects_in_an_image": 4}


def test_a_data_set_is_a_folder_or_scenes(toy_installed: None, tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(PLAN.replace("scenes = { size = 48, train = 3, val = 2 }", 'train = "a"'), encoding="utf-8")
    with pytest.raises(InputError, match="data set drawn: expected train and val, or scenes"):
        read_plan("toy_points", path)


def test_a_second_plan_of_a_system_has_a_name_of_its_own() -> None:
    assert "point_sup" in available_benchmarks()
    with pytest.raises(InputError, match="benchmark point_sup-nothing: there is no such plan; benchmarks are"):
        read_plan("point-sup-nothing")
