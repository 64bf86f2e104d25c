from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from napari_pointanno._controllers.run_words import (
    eta,
    last_lines,
    metrics_line,
    per_class_table,
    run_row,
    samples,
    stage_line,
)
from pointanno.runs import RunFolder, RunStatus


@pytest.mark.parametrize(
    ("seconds", "spread", "words"),
    [
        (660, 120, "11 min ± 2"),
        (660, None, "11 min"),
        (660, 10, "11 min"),
        (45, 3.4, "45 s ± 3"),
        (7500, 600, "2 h 05 min ± 10 min"),
    ],
)
def test_time_left_with_its_spread(seconds: float, spread: float | None, words: str) -> None:
    assert eta(seconds, spread) == words


def test_stages() -> None:
    hello = {"kind": "hello", "stages": ["train", "pseudo_label", "retrain"]}
    line = stage_line(RunStatus("running", stage="pseudo_label"), [hello])
    assert line == "stage 2 of 3:  ✓ train  ▸ pseudo_label  retrain"
    assert stage_line(RunStatus("running", stage="train"), [{"kind": "hello", "stages": ["train"]}]) == ""


def test_metrics_in_percent_with_things_and_stuff() -> None:
    validation: dict[str, Any] = {
        "metric": "pq", "step": 2500, "value": 0.381, "point_accuracy": 0.93,
        "values": {"pq": 0.381, "sq": 0.74, "rq": 0.479, "pq_things": 0.35, "pq_stuff": 0.44},
    }  # fmt: skip
    assert metrics_line(validation, 0.39) == (
        "val at 2,500:  PQ 38.1  SQ 74.0  RQ 47.9  PQ things/stuff 35.0/44.0  points 93.0 %   ★ best PQ 39.0"
    )


def test_classes_worst_first() -> None:
    per_class = {"a": {"ap": 0.5, "n": 7}, "b": {"ap": 0.1}, "c": {"ap": None, "n": 0}}
    table = per_class_table({"metric": "ap", "per_class": per_class})
    assert table.head == ("class", "AP", "N")
    assert table.rows == (("c", "-", "0"), ("b", "10.0", "-"), ("a", "50.0", "7"))
    assert per_class_table({"metric": "ap"}).rows == ()


def test_samples_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text("{}")
    (tmp_path / "preview").mkdir()
    for number in (1, 2):
        (tmp_path / "preview" / f"sample_{number}.png").write_bytes(b"")
    events = [{"kind": "sample", "path": f"preview/sample_{number}.png"} for number in (2, 1, 3, 2)]
    assert [path.name for path in samples(RunFolder(tmp_path), events)] == ["sample_1.png", "sample_2.png"]


@pytest.mark.parametrize(("metric", "label"), [("ap", "AP 38.1"), ("smoothed_loss", "loss 0.381")])
def test_history_with_the_best_value(tmp_path: Path, metric: str, label: str) -> None:
    run = tmp_path / "first"
    (run / "checkpoints" / "c").mkdir(parents=True)
    (run / "environment.json").write_text("{}")
    assert run_row(RunFolder(run)).label == "first"
    (run / "checkpoints" / "c" / "weights.safetensors").write_bytes(b"")
    (run / "checkpoints" / "best.json").write_text(
        f'{{"folder": "c", "id": "c", "metric": "{metric}", "value": 0.381}}'
    )
    assert run_row(RunFolder(run)).label == f"first   {label}"


def test_last_lines_of_a_missing_log(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "none.txt") == ""
