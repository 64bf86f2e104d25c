"""simulate, validate, stats, evaluate and scenes as a user types them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from pointanno.cli import main

SAMPLES = Path(__file__).parents[3] / "sample_data"


def _run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    code: Any = 0
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as exit_:
        code = exit_.code
    captured = capsys.readouterr()
    return int(code or 0), captured.out, captured.err


def _sentence(result: tuple[int, str, str]) -> str:
    """The one sentence of a refused command."""
    code, out, err = result
    assert code == 2
    assert out == ""
    assert "Traceback" not in err
    assert err.count("\n") == 1
    return err


def test_simulate_then_validate_then_count(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "points.json"
    code, text, _ = _run(
        capsys, "simulate", SAMPLES / "instances.json", "--protocol", "box-points", "-n", "10", "--seed", "0",
        "-o", out, "--json",
    )  # fmt: skip
    assert code == 0
    assert orjson.loads(text) == {
        "out": str(out), "format": "coco-point", "protocol": "box-points", "images": 12, "boxes": 97, "targets": 0,
        "points": 970, "seed": 0,
    }  # fmt: skip
    code, text, _ = _run(capsys, "validate", out, "--images", SAMPLES / "images", "--strict", "--json")
    assert (code, orjson.loads(text)["valid"]) == (0, True)
    code, text, _ = _run(capsys, "stats", out, "--json")
    assert (code, orjson.loads(text)["boxes"]) == (0, 97)
    code, text, _ = _run(capsys, "stats", out)
    assert "97 (0 crowd, 0 with a mask)" in text


def test_simulate_writes_the_strict_form(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "points.json"
    arguments = ("simulate", SAMPLES / "panoptic.json", "-o", out, "--format", "pointsup", "--protocol")
    assert _run(capsys, *arguments, "box-points")[0] == 0
    assert "point_status" not in orjson.loads(out.read_bytes())["annotations"][0]
    assert "--format pointsup holds boxes" in _sentence(_run(capsys, *arguments, "single-point"))


def test_simulate_clicks_on_things_and_stuff(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "points.json"
    code, text, _ = _run(
        capsys, "simulate", SAMPLES / "panoptic.json", "--protocol", "single-point", "--sampling", "center", "-o", out
    )
    assert code == 0
    assert "133 clicked targets" in text


def test_simulate_says_what_is_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "points.json"
    options = ("--protocol", "box-points", "-o", out)
    sentence = _sentence(_run(capsys, "simulate", SAMPLES / "points.json", *options))
    assert "points.json: annotation 1 has no segmentation" in sentence
    assert "there is no such file" in _sentence(_run(capsys, "simulate", tmp_path / "no.json", *options))
    sentence = _sentence(_run(capsys, "simulate", SAMPLES / "instances.json", *options, "-n", "0"))
    assert "-n: the number of points must be 1 or more" in sentence
    sentence = _sentence(
        _run(
            capsys, "simulate", SAMPLES / "instances.json", "--protocol", "box-points", "-o", tmp_path / "no" / "a.json"
        )
    )
    assert "does not exist; make it first" in sentence
    assert not out.exists()


def test_validate_ends_with_2_when_there_are_errors(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data = orjson.loads((SAMPLES / "points.json").read_bytes())
    data["annotations"][0]["category_id"] = 99
    path = tmp_path / "a.json"
    path.write_bytes(orjson.dumps(data))
    code, text, err = _run(capsys, "validate", path)
    assert (code, err) == (2, "")
    assert text == f"error: {path}, annotation 1: category_id 99 is not among 1, 2, 3, 11, 12, 13\n"
    code, text, _ = _run(capsys, "validate", path, "--json")
    assert code == 2
    assert orjson.loads(text)["errors"] == 1
    path.write_bytes(b"")
    code, text, _ = _run(capsys, "validate", path)
    assert (code, text) == (2, f"error: {path}: the file is empty (0 bytes); write or copy it again\n")


def test_many_findings_are_cut_for_people(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data = orjson.loads((SAMPLES / "points.json").read_bytes())
    for entry in data["annotations"]:
        entry["bbox"] = None
    path = tmp_path / "a.json"
    path.write_bytes(orjson.dumps(data))
    text = _run(capsys, "validate", path)[1]
    assert text.count("\n") == 51
    assert text.endswith("and 47 more; --json lists all\n")


def test_stats_says_what_is_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes((SAMPLES / "points.json").read_bytes()[:5000])
    assert "a.json: the JSON ends too early" in _sentence(_run(capsys, "stats", tmp_path / "a.json"))


def test_evaluate_panoptic(capsys: pytest.CaptureFixture[str]) -> None:
    truth = SAMPLES / "panoptic.json"
    code, text, _ = _run(capsys, "evaluate", truth, truth, "--json")
    assert code == 0
    result = orjson.loads(text)
    assert result["metric"] == "pq"
    assert result["things"] == {"pq": 1.0, "sq": 1.0, "rq": 1.0, "n": 3}
    assert result["per_class"]["1"] == {"pq": 1.0, "sq": 1.0, "rq": 1.0, "tp": 33, "fp": 0, "fn": 0}
    assert "1.000" in _run(capsys, "evaluate", truth, truth)[1]
    assert _run(capsys, "evaluate", truth, truth, "--metric", "miou")[1] == "mIoU 1.000 over 6 classes\n"


def test_evaluate_instances(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    truth = orjson.loads((SAMPLES / "instances.json").read_bytes())
    results = [{**entry, "score": 0.9} for entry in truth["annotations"]]
    (tmp_path / "r.json").write_bytes(orjson.dumps(results))
    arguments = ("evaluate", SAMPLES / "instances.json", tmp_path / "r.json")
    result = orjson.loads(_run(capsys, *arguments, "--json")[1])
    assert result["ap"] == pytest.approx(1.0)
    assert set(result["max_detections"]) == {"100", "500"}
    filled = orjson.loads(_run(capsys, *arguments, "--fill-boxes", "--max-dets", "20", "--json")[1])
    assert 0 < filled["ap"] < 0.9
    assert list(filled["max_detections"]) == ["20"]
    assert "main numbers: at most 100 detections an image" in _run(capsys, *arguments)[1]
    assert "AP needs a COCO results list" in _sentence(
        _run(capsys, "evaluate", SAMPLES / "instances.json", SAMPLES / "instances.json", "--metric", "ap")
    )


def test_scenes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    dest = tmp_path / "new" / "scenes"
    code, text, _ = _run(capsys, "scenes", dest, "--count", "2", "--size", "64", "--seed", "7", "--json")
    assert (code, orjson.loads(text)["count"]) == (0, 2)
    assert sorted(path.name for path in dest.iterdir()) == [
        "images", "instances.json", "panoptic", "panoptic.json", "points.json",
    ]  # fmt: skip
    assert sorted(path.name for path in (dest / "images").iterdir()) == ["scene_0007.png", "scene_0008.png"]
    assert "--count: expected 1 or more" in _sentence(_run(capsys, "scenes", dest, "--count", "0"))


def test_truncated_pictures_are_found(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    images = tmp_path / "images"
    shutil.copytree(SAMPLES / "images", images)
    (images / "scene_0003.png").write_bytes((images / "scene_0003.png").read_bytes()[:9000])
    (images / "scene_0004.png").unlink()
    code, text, _ = _run(capsys, "validate", SAMPLES / "points.json", "--images", images)
    assert code == 2
    first, second = text.splitlines()
    assert "image 4: " in first and "damaged or truncated" in first
    assert "image 5: " in second and "the picture is missing" in second
