"""``pointanno benchmark assignment`` and ``pointanno benchmark pseudo-masks`` as a user types them."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from pointanno.benchmark import assignment
from pointanno.cli import main
from pointanno.scenes import write_scenes


def _refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(["benchmark", *words])
    said = capsys.readouterr()
    assert stopped.value.code == 2 and said.out == "" and said.err.count("\n") == 1
    return said.err


def test_help_of_all_three(capsys: pytest.CaptureFixture[str]) -> None:
    for words, expected in (
        ([], ("pseudo-masks", "assignment", "--schedule", "Example:")),
        (["assignment"], ("--grid", "--repeats", "Example:")),
        (["pseudo-masks"], ("--cells", "--pictures", "Example:")),
    ):
        main(["benchmark", *words, "--help"])
        said = capsys.readouterr().out
        assert all(word in said for word in expected), said


def test_assignment_prints_a_table_and_writes_numbers(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = assignment.measure_stage
    monkeypatch.setattr(assignment, "measure_stage", lambda repeats: whole(repeats, size=(64, 96)))
    words = ["benchmark", "assignment", "--grid", "6x9", "--targets", "2", "--repeats", "1"]
    main([*words, "--out", str(tmp_path / "speed.json")])
    said = capsys.readouterr()
    assert said.out.count("6 x 9") == 2 and "whole stage, 64 x 96" in said.out and "one more click" in said.out
    written = orjson.loads((tmp_path / "speed.json").read_bytes())
    assert [row["targets"] for row in written["search"]] == [2, 2]
    main([*words, "--json"])
    printed = orjson.loads(capsys.readouterr().out)
    assert set(printed) == set(written) == {"machine", "compile_s", "repeats", "search", "stage", "live"}


def test_pseudo_masks_prints_a_table_and_writes_pictures(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write_scenes(tmp_path / "data" / "scenes" / "val", 2, 48, 0)
    words = ["benchmark", "pseudo-masks", "--data", str(tmp_path / "data"), "--cells", "24"]
    main([*words, "-o", str(tmp_path / "out"), "--pictures"])
    said = capsys.readouterr().out
    assert [line.split()[:2] for line in said.splitlines()[1:]] == [
        ["scenes", "nearest"], ["scenes", "edges"], ["scenes", "edges+colors"]
    ]  # fmt: skip
    assert len(list((tmp_path / "out" / "scenes").glob("*.png"))) == 2
    written = orjson.loads((tmp_path / "out" / "pseudo_masks.json").read_bytes())
    main([*words, "--json"])
    printed = orjson.loads(capsys.readouterr().out)
    for result in (written, printed):
        for row in result["sets"]["scenes"]["generators"].values():
            row.pop("cpu_ms")
    assert printed == written


def test_what_is_wrong_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POINTANNO_DATA", raising=False)
    assert "rows x columns" in _refused(capsys, "assignment", "--grid", "50*83")
    assert "rows x columns" in _refused(capsys, "assignment", "--grid", "0x83")
    assert "--repeats must be 1 or more" in _refused(capsys, "assignment", "--repeats", "0")
    assert "--targets must be 1 or more" in _refused(capsys, "assignment", "--targets", "0")
    assert "benchmark pseudo-masks --help" in _refused(capsys, "pseudo-masks")
    assert "--pictures needs --out" in _refused(capsys, "pseudo-masks", "--data", ".", "--pictures")
    assert "--images must be 1 or more" in _refused(capsys, "pseudo-masks", "--data", ".", "--images", "0")
    assert "no data set with panoptic truth" in _refused(capsys, "pseudo-masks", "--data", ".")
