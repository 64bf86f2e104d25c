"""Simulated ladders: what is trained on, what is kept, what is refused; and one that is really trained."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from pointanno.errors import InputError
from pointanno.formats import find_format, read_dataset
from pointanno.runs.atomic import replace_json
from pointanno.scenes import write_scenes
from pointanno.simulation import simulate
from pointanno.timing.budget import LadderOptions, climb, findings_of_ladder, parse_kind
from pointanno.timing.budget.rung import write_annotations
from pointanno.timing.budget.rung_job import RungJob
from pointanno.timing.budget.simulated import default_kinds, plan_ladder


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ladder")
    write_scenes(folder / "train", 6, 48, seed=0)
    write_scenes(folder / "val", 3, 48, seed=50)
    return folder


@pytest.fixture
def options(scenes: Path, tmp_path: Path) -> LadderOptions:
    return LadderOptions(
        truth=scenes / "train" / "instances.json", images=scenes / "train" / "images",
        val=scenes / "val" / "instances.json", val_images=scenes / "val" / "images", out=tmp_path / "out",
        kinds=(parse_kind("masks"), parse_kind("box_points:4")), hours=(0.3, 0.8), system="point_sup", steps=5,
        seeds=2, threads=1, device="cpu",
    )  # fmt: skip


def test_budgets_buy_pictures_by_their_seconds(options: LadderOptions) -> None:
    ladder = plan_ladder(options)
    for rung in ladder.rungs:
        seconds = {"mask": 79.2, "box": 7.0, "point": 0.9}
        assert rung.hours == pytest.approx(sum(seconds[unit] * count for unit, count in rung.counts.items()) / 3600)
        assert 0 < rung.hours <= rung.budget
        units = {"mask"} if rung.kind.name == "masks" else {"box", "point"}
        assert set(rung.counts) == units
        if "box" in units:
            assert rung.counts["point"] == 4 * rung.counts["box"]
    by_kind = {
        (rung.kind.name, rung.plan.seed): [
            set(one.image_ids) for one in ladder.rungs if (one.kind, one.plan.seed) == (rung.kind, rung.plan.seed)
        ]
        for rung in ladder.rungs
    }
    for chosen in by_kind.values():
        assert all(small < large for small, large in pairwise(chosen))
    # the same hours buy more boxes with points than masks
    assert len(by_kind["box_points:4", 0][0]) > len(by_kind["masks", 0][0])
    assert len({rung.name for rung in ladder.rungs}) == len(ladder.rungs)


def test_a_budget_that_changes_nothing_is_not_trained_twice(options: LadderOptions) -> None:
    ladder = plan_ladder(replace(options, kinds=(parse_kind("masks"),), hours=(0.3, 50.0, 60.0)))
    assert ladder.saturated == ("masks: 60 h",)
    assert {rung.budget for rung in ladder.rungs} == {0.3, 50.0}
    largest = [rung for rung in ladder.rungs if rung.budget == 50.0]
    assert all(len(rung.image_ids) == 6 for rung in largest)


def test_points_of_a_part_are_those_of_the_whole(options: LadderOptions) -> None:
    ladder = plan_ladder(options)
    whole = simulate(read_dataset(options.truth), "box-points", n=4, seed=1)
    answers = {one.id: one.points.coords.tolist() for one in whole.instances}
    rung = next(rung for rung in ladder.rungs if rung.kind.name == "box_points:4" and rung.plan.seed == 1)
    write_annotations(rung)
    part = read_dataset(rung.training_data)
    assert {image.id for image in part.images} == set(rung.image_ids)
    assert len(part.instances) == rung.counts["box"]
    assert all(answers[one.id] == one.points.coords.tolist() and one.mask is None for one in part.instances)


@pytest.mark.parametrize("truth", ["instances.json", "panoptic.json"])
def test_masks_of_a_part_are_those_of_the_truth(options: LadderOptions, scenes: Path, truth: str) -> None:
    ladder = plan_ladder(replace(options, truth=scenes / "train" / truth))
    rung = next(rung for rung in ladder.rungs if rung.kind.name == "masks")
    write_annotations(rung)
    write_annotations(rung)  # once more, as after an interruption
    part, whole = read_dataset(rung.training_data), read_dataset(scenes / "train" / truth)
    assert {image.id for image in part.images} == set(rung.image_ids)
    expected = [
        (one.image_id, one.category_id, one.mask.rle["counts"])
        for one in whole.instances
        if one.image_id in set(rung.image_ids) and one.mask is not None
    ]
    assert [(one.image_id, one.category_id, one.mask.rle["counts"]) for one in part.instances if one.mask] == expected
    # stuff costs nothing where a system of things learns
    things = {category.id for category in whole.categories if category.isthing}
    assert rung.counts["mask"] == sum(category in things for _, category, _ in expected)


def test_hours_that_nobody_asked_for(options: LadderOptions) -> None:
    ladder = plan_ladder(replace(options, hours=()))
    largest = max(ladder.rungs, key=lambda rung: (rung.kind.name == "box_points:4", rung.budget))
    assert len(largest.image_ids) == 6
    smallest = min(ladder.rungs, key=lambda rung: (rung.kind.name != "masks", rung.budget))
    assert 1 <= len(smallest.image_ids) <= 4


def test_given_seconds_change_what_is_bought(options: LadderOptions) -> None:
    cheap = plan_ladder(replace(options, seconds={"mask": 8.0}))
    dear = plan_ladder(options)
    assert len(cheap.rungs[0].image_ids) > len(dear.rungs[0].image_ids)
    assert cheap.costs["mask"].source == "given by --seconds" and set(cheap.costs) == {"mask", "box", "point"}


def _refused(options: LadderOptions, sentence: str, **changes: Any) -> None:
    with pytest.raises(InputError, match=sentence):
        plan_ladder(replace(options, **changes))


def test_what_cannot_be_trained_is_refused_before_anything_is_written(options: LadderOptions, tmp_path: Path) -> None:
    _refused(options, r"none\.json: --val must be an existing file", val=tmp_path / "none.json")
    _refused(options, "--val-images must be an existing folder", val_images=tmp_path / "none")
    _refused(options, "--images must be an existing folder", images=tmp_path / "none")
    _refused(options, "--steps 0: expected at least 1", steps=0)
    _refused(options, "--hours -1: expected hours above 0", hours=(-1.0,))
    _refused(options, "--hours 0.001: this does not pay a single picture", hours=(0.001,))
    _refused(options, "name each kind once", kinds=(parse_kind("masks"), parse_kind("masks")))
    _refused(options, "no installed system learns from it", kinds=(parse_kind("multi_point:2"),))
    _refused(options, "recipe 'huge': point_sup has", recipe="huge")
    assert not options.out.exists()


def test_a_truth_without_masks_is_refused(options: LadderOptions, tmp_path: Path) -> None:
    points = simulate(read_dataset(options.truth), "box-points", n=4)
    find_format("coco-point").write(points, tmp_path / "points.json")
    _refused(
        options,
        r"points\.json: annotation 1 has no segmentation; --simulate needs a truth",
        truth=tmp_path / "points.json",
    )
    _refused(
        options, r"points\.json: annotation 1 has no segmentation; --val needs a truth", val=tmp_path / "points.json"
    )
    empty = {**orjson.loads(options.truth.read_bytes()), "annotations": []}
    replace_json(tmp_path / "empty.json", empty)
    _refused(options, r"empty\.json: --simulate must hold annotated objects", truth=tmp_path / "empty.json")


def test_all_kinds_of_a_system() -> None:
    assert [kind.name for kind in default_kinds("point_sup")] == ["masks", "box_points:10"]


@pytest.fixture
def fake_training(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Trainings that take no time; names of those that were begun."""
    begun: list[str] = []

    def measure(job: RungJob) -> dict[str, Any]:
        rung = job.rung
        quality = 0.5 - 0.1 / rung.hours**0.5 + 0.01 * rung.plan.seed
        samples = quality + np.random.default_rng(0).normal(0, 0.01, 30)
        return {
            "row": rung.name, "kind": rung.kind.name, "hours": rung.hours, "quality": quality, "counts": rung.counts,
            "pictures": len(rung.image_ids), "samples": samples.tolist(), "seed": rung.plan.seed, "metric": "ap",
            "training": {"seconds": 1.0, "steps": {"train": 5}}, "machine": "here", "val_pictures": 3,
            "key": rung.key(),
        }  # fmt: skip

    monkeypatch.setattr(RungJob, "train", lambda job: begun.append(job.rung.name))
    monkeypatch.setattr(RungJob, "measure", measure)
    return begun


def test_finished_rungs_are_kept_and_changed_ones_made_anew(
    options: LadderOptions, fake_training: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    first = climb(options, lines.append)
    assert len(fake_training) == len(first.ladder.rungs) == len(first.results) and not first.failures
    # small budgets first, seed by seed
    budgets = [(name.rsplit("seed", 1)[1], float(name.split("h-seed")[0].rsplit("-", 1)[1])) for name in fake_training]
    assert budgets == sorted(budgets)
    fake_training.clear()
    again = climb(options, lines.append)
    assert fake_training == [] and again.results == first.results
    assert sum("finished before, kept" in line for line in lines) == len(first.results)
    # another budget adds its rungs and keeps the others
    more = climb(replace(options, hours=(0.3, 0.8, 1.5)), lines.append)
    assert fake_training and all("1.5h" in name for name in fake_training) and len(more.results) > len(first.results)
    fake_training.clear()
    (options.out / first.ladder.rungs[0].name / "result.json").unlink()
    climb(options, lines.append)
    assert fake_training == [first.ladder.rungs[0].name]


def test_a_ladder_of_other_settings_is_not_mixed_in(options: LadderOptions, fake_training: list[str]) -> None:
    climb(options, lambda line: None)
    for changes, name in (
        ({"steps": 6}, "steps"),
        ({"seconds": {"box": 3.0}}, "seconds"),
        ({"overrides": ("train.batch_size=2",)}, "set"),
    ):
        with pytest.raises(InputError, match=f"this ladder was begun with {name} "):
            climb(replace(options, **changes), lambda line: None)


def test_a_ladder_goes_on_where_its_files_were_moved(
    options: LadderOptions, fake_training: list[str], tmp_path: Path
) -> None:
    climb(options, lambda line: None)
    fake_training.clear()
    (tmp_path / "elsewhere").mkdir()
    moved = tmp_path / "elsewhere" / "gt.json"
    moved.write_bytes(options.truth.read_bytes())
    climb(replace(options, truth=moved), lambda line: None)
    assert fake_training == []
    with pytest.raises(InputError, match="begun with another --val"):
        climb(replace(options, val=moved, val_images=options.images), lambda line: None)


def test_somebody_elses_folder_is_left_alone(options: LadderOptions, fake_training: list[str]) -> None:
    options.out.mkdir()
    (options.out / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="--out holds other files"):
        climb(options, lambda line: None)
    assert fake_training == []


def test_a_failure_is_told_and_the_others_go_on(
    options: LadderOptions, fake_training: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(job: RungJob) -> None:
        if job.rung.kind.name == "masks" and job.rung.plan.seed == 1:
            raise InputError("no space left")

    monkeypatch.setattr(RungJob, "train", train)
    found = climb(options, lambda line: None)
    assert found.failures and all(name.startswith("masks") and name.endswith("seed1") for name in found.failures)
    assert len(found.results) == len(found.ladder.rungs) - len(found.failures)
    findings = findings_of_ladder(found, options, more=0.2)
    assert any("trainings are not finished; the same command goes on" in note for note in findings.notes)


def test_the_page_says_what_the_numbers_are(options: LadderOptions, fake_training: list[str]) -> None:
    found = climb(replace(options, hours=(0.3, 0.6, 1.2)), lambda line: None)
    findings = findings_of_ladder(found, options, more=0.2)
    facts = " ".join(findings.facts.values())
    for words in ("knows the true masks", "recipe small", "5 steps of every stage", "0, 1: each decides", "here;"):
        assert words in facts
    assert findings.spent and set(findings.spent.values()) <= {
        0.6,
        *(curve.last for curve in findings.curves.values() if curve),
    }


@pytest.mark.slow
def test_a_killed_ladder_goes_on(scenes: Path, tmp_path: Path) -> None:
    """A few steps of the real system; killed in its second training, it keeps the first and comes to its end."""
    out = tmp_path / "out"
    command = [
        sys.executable, "-m", "pointanno", "budget", "--simulate", str(scenes / "train" / "instances.json"),
        "--images", str(scenes / "train" / "images"), "--val", str(scenes / "val" / "instances.json"),
        "--val-images", str(scenes / "val" / "images"), "--kinds", "box_points:4", "--hours", "0.05", "0.1", "0.2",
        "--steps", "4", "--seeds", "1", "--threads", "1", "--device", "cpu", "--json", "-o", str(out),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not list(out.glob("*/result.json")) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in out.glob("*/result.json")}
    assert kept
    done = subprocess.run(command, env=environment, capture_output=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())
    table = orjson.loads(done.stdout)
    assert len(table["trainings"]) == 3 and table["metric"] == "ap"
    assert all(0 <= row["quality"] <= 1 for row in table["trainings"])
    assert (out / "budget.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert (out / "quality_by_hours.png").stat().st_size > 5000
