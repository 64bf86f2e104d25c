"""Pictures to look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
from PIL import Image as PillowImage

from pointanno.benchmark.pictures import draw_pictures
from pointanno.benchmark.plan import read_plan, resolve_row


def test_true_and_predicted_outlines_stand_beside_each_other(
    toy_installed: None, plan_path: Path, data: Path, tmp_path: Path
) -> None:
    descriptor, plan = read_plan("toy_points", plan_path)
    row = resolve_row(plan, plan.rows[0], descriptor, schedule="small", steps=None, data=data, out=tmp_path / "out")
    row.folder.mkdir(parents=True)
    truth = orjson.loads(row.val_truth.read_bytes())
    names = {image["id"]: image["file_name"] for image in truth["images"]}
    results = [
        {
            "image_id": entry["image_id"], "file_name": names[entry["image_id"]], "category_id": entry["category_id"],
            "segmentation": entry["segmentation"], "score": 0.9,
        }
        for entry in truth["annotations"]
    ]  # fmt: skip
    predictions = tmp_path / "pred.json"
    predictions.write_bytes(orjson.dumps(results))
    files = draw_pictures(row, predictions)
    assert sorted(file.stem for file in files) == sorted(Path(name).stem for name in names.values())
    for file in files:
        drawn = np.asarray(PillowImage.open(file))
        left, right = drawn[:, :480], drawn[:, -480:]
        assert drawn.shape == (480, 2 * 480 + 6, 3)  # pictures of 48 pixels, ten times as large
        # the same masks in the same order: the same drawing, which is not the bare picture
        assert (left == right).all()
    predictions.write_bytes(orjson.dumps([{**result, "score": 0.4} for result in results]))
    unsure = np.asarray(PillowImage.open(draw_pictures(row, predictions)[0]))
    assert (unsure[:, :480] != unsure[:, -480:]).any()
