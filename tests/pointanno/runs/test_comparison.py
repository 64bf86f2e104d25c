from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pointanno.errors import InputError
from pointanno.runs import RunFolder, compare_runs
from pointanno.runs.comparison import final_loss


def run(folder: Path, *, seed: int = 0, rate: float = 0.1, sha: str = "a" * 64, events: Any = ()) -> RunFolder:
    (folder / "checkpoints").mkdir(parents=True)
    environment = {
        "system": "point_sup",
        "arguments": {"data": "d.json", "images": "i", "seed": seed},
        "data": {"sha256": sha, "boxes": 3},
        "versions": {"torch": "2.15"},
    }
    (folder / "environment.json").write_text(json.dumps(environment))
    (folder / "recipe.toml").write_text(f"[train]\nlearning_rate = {rate}\nsteps = 9\n")
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    return RunFolder(folder)


def steps(*losses: float) -> list[dict[str, Any]]:
    return [
        {"kind": "step", "time": 10.0 + n, "stage": "train", "step": n, "steps": 9, "loss": loss,
         "images_per_second": 2.0 * n}
        for n, loss in enumerate(losses, 1)
    ]  # fmt: skip


def test_what_differs_and_what_came_out(tmp_path: Path) -> None:
    hello = {"kind": "hello", "time": 10.0, "stages": ["train"]}
    val = {"kind": "val", "time": 20.0, "stage": "train", "step": 3, "metric": "ap", "value": 0.4}
    first = run(tmp_path / "a", events=[hello, *steps(3, 2, 1), {**val, "values": {"ap": 0.4, "ap50": 0.7}}])
    again = [{"kind": "hello", "time": 100.0}, {"kind": "end", "time": 107.0, "reason": "stopped"}]
    second = run(tmp_path / "b", seed=1, rate=0.2, sha="b" * 64, events=[hello, *steps(4), *again])
    compared = compare_runs([first, second])
    assert compared.names == ("a", "b")
    assert [(row.group, row.name, row.values) for row in compared.differences] == [
        ("run", "seed", (0, 1)),
        ("data", "sha256", ("a" * 12, "b" * 12)),
        ("recipe", "train.learning_rate", (0.1, 0.2)),
    ]
    results = {row.name: row.values for row in compared.results}
    assert results["loss"] == (2.0, 4.0)
    assert results["best ap"] == (0.4, None)
    assert results["last ap50"] == (0.7, None)
    assert results["images/s"] == (4.0, 2.0)
    # 10 until the last word of the first start, and 7 of the second one
    assert results["seconds"] == (10.0, 1.0 + 7.0)


def test_final_loss_is_a_mean_of_the_end() -> None:
    """Of 400 steps the last 20 (a twentieth) count: their mean is (381 + 400) / 2."""
    events = [{"kind": "step", "step": n, "loss": float(n)} for n in range(1, 401)]
    assert final_loss(events) == pytest.approx(390.5)
    assert final_loss(events[:4]) == 2.5
    assert final_loss([]) is None


def test_one_run_is_no_comparison(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least two runs, but got 1"):
        compare_runs([run(tmp_path / "a")])
