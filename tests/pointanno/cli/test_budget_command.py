"""`pointanno budget`: a project with its runs, one JSON object, and sentences for what cannot be."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from pointanno.cli.main import main
from pointanno.formats import find_format, read_dataset
from pointanno.project import Project
from pointanno.runs import TrainArguments, create_run
from pointanno.scenes import write_scenes
from pointanno.simulation import simulate

MS = 1_000_000
LADDER = ["--simulate", "gt.json", "--images", ".", "-o", "x", "--val", "v.json", "--val-images", "."]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with 20 timed answers of 500 ms and three finished runs on one, two and four pictures."""
    folder = tmp_path_factory.mktemp("budget")
    write_scenes(folder / "scenes", 5, 48, seed=0)
    scenes = folder / "scenes"
    truth = read_dataset(scenes / "instances.json")
    with Project.create(folder / "p", images=scenes / "images", categories=list(truth.categories)) as made:
        made.record("session_start", {"mode": "box_points"}, t_mono_ns=1000 * MS)
        made.record("image_shown", {}, image_id=1, t_mono_ns=2000 * MS)
        coords = [[number, number] for number in range(20)]
        box = {"uid": "a" * 32, "category_id": truth.categories[0].id, "box": [0.0, 0.0, 40.0, 40.0]}
        made.record("box", {**box, "point_coords": coords}, image_id=1, t_mono_ns=6000 * MS)
        for point in range(20):
            at = 7000 + 1000 * point
            made.record("point_shown", {"uid": "a" * 32, "point": point}, image_id=1, t_mono_ns=at * MS)
            made.record(
                "answer", {"uid": "a" * 32, "point": point, "value": "object"}, image_id=1, t_mono_ns=(at + 500) * MS
            )
        made.record("session_end", {}, t_mono_ns=30_000 * MS)
        path = made.path
    points = simulate(truth, "box-points", n=10)
    (path / "runs").mkdir(exist_ok=True)
    for pictures, quality in ((1, 0.20), (2, 0.28), (4, 0.33)):
        kept = {image.id for image in truth.images[:pictures]}
        part = replace(
            points,
            images=tuple(image for image in points.images if image.id in kept),
            instances=tuple(one for one in points.instances if one.image_id in kept),
        )
        find_format("coco-point").write(part, folder / f"{pictures}.json")
        run = create_run(
            TrainArguments(
                data=folder / f"{pictures}.json", images=scenes / "images", val=scenes / "instances.json",
                val_images=scenes / "images",
            ),
            path / "runs" / f"run{pictures}",
        )  # fmt: skip
        events: list[dict[str, Any]] = [
            {"kind": "hello"},
            {"kind": "stage", "stage": "train", "steps": 50},
            {"kind": "val", "stage": "train", "step": 50, "metric": "ap", "value": quality, "values": {"ap": quality}},
            {"kind": "end", "reason": "finished"},
        ]
        lines = [orjson.dumps({**one, "time": time.time(), "line": number}) for number, one in enumerate(events, 1)]
        run.events_file.write_bytes(b"\n".join(lines) + b"\n")
    return path


def test_a_project_is_told_what_hours_are_worth(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "b.html"
    main(["budget", str(project), "-o", str(page), "--hours", "0.05", "--files", str(tmp_path / "f")])
    told = capsys.readouterr().out
    assert "0.05 more hours of box+10, after " in told and f"wrote {page}" in told
    text = page.read_text(encoding="utf-8")
    assert "mean of 11 answers of this project" in text  # the box and nine answers are warm-up
    assert "do not hold what other pictures would change" in text and "arXiv:1708.02750" in text
    assert (tmp_path / "f" / "worth.csv").read_text().startswith("kind,spent_h,more_h,gain")


def test_measured_seconds_make_the_hours(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["budget", str(project), "--hours", "0.01", "--json"])
    found = orjson.loads(capsys.readouterr().out)
    seconds = {row["unit"]: row for row in found["seconds"]}
    assert seconds["point"]["seconds"] == pytest.approx(0.5) and seconds["point"]["measured_here"]
    assert seconds["box"]["seconds"] == 7.0 and not seconds["box"]["measured_here"]
    for row in found["trainings"]:
        assert row["hours"] == pytest.approx((7 * row["boxes"] + 0.5 * row["points"]) / 3600)
    main(["budget", str(project), "--hours", "0.01", "--json", "--seconds", "box=3", "point=2"])
    given = orjson.loads(capsys.readouterr().out)["trainings"]
    assert given[0]["hours"] == pytest.approx((3 * given[0]["boxes"] + 2 * given[0]["points"]) / 3600)


def test_the_least_certain_pictures_are_named(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Project.open(project, writable=False) as opened:
        names = [image.file_name for image in opened.images()]
    scores = {names[0]: 0.5, names[1]: 0.9, names[2]: 0.6}  # something is annotated on the first one
    guess = [{"file_name": name, "category_id": 1, "score": score} for name, score in scores.items()]
    (tmp_path / "pred.json").write_bytes(orjson.dumps(guess))
    main(["budget", str(project), "--hours", "10", "--json", "--predictions", str(tmp_path / "pred.json")])
    answer = orjson.loads(capsys.readouterr().out)["answer"]
    assert answer[-1].endswith(f"the least certain of those without annotations: {names[2]}, {names[1]}.")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["PROJECT"], "--out: expected a file for the page"),
        (["PROJECT", "--json", "--hours", "1", "2"], "--hours: expected one number of hours"),
        (["PROJECT", "--json", "--hours", "0"], "--hours 0: expected hours above 0"),
        (["PROJECT", "--json", "--steps", "5"], "--steps: this is for a simulated ladder"),
        (["PROJECT", "--json", "--seconds", "mask"], "expected UNIT=SECONDS"),
        (["PROJECT", "-o", "none/b.html"], "does not exist. Make it first"),
        (["PROJECT", "--json", "--reference", "."], "there is no run in this folder"),
        ([], "PROJECT is missing"),
        (["--simulate", "gt.json"], "--images is missing"),
        (["--simulate", "gt.json", "--images", ".", "-o", "x", "--val-images", "."], "--val is missing"),
        (["PROJECT", "--simulate", "gt.json"], "PROJECT: this is for budgets of a project"),
        ([*LADDER, "--kinds", "lines"], "--kinds 'lines': expected masks"),
        ([*LADDER, "--kinds", "masks"], "gt.json: --simulate must be an existing file"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence(
    arguments: list[str],
    sentence: str,
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["budget", *(str(project) if word == "PROJECT" else word for word in arguments)])
    error = capsys.readouterr().err
    assert ended.value.code == 2 and sentence in error and "Traceback" not in error


def test_a_project_without_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_scenes(tmp_path / "scenes", 1, 48, seed=0)
    with Project.create(tmp_path / "p", images=tmp_path / "scenes" / "images", categories=[]) as made:
        path = made.path
    with pytest.raises(SystemExit) as ended:
        main(["budget", str(path), "--json"])
    assert ended.value.code == 2
    assert "no finished run with a validation was found. Train with --val and --val-images" in capsys.readouterr().err
