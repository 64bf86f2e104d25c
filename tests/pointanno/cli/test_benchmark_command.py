"""``pointanno benchmark`` as a user types it; whole benchmarks are in tests/pointanno/benchmark."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from pointanno.cli import main


def _refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(["benchmark", *words])
    said = capsys.readouterr()
    assert stopped.value.code == 2 and said.out == "" and said.err.count("\n") == 1
    return said.err


def test_list_shows_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    main(["benchmark", "--list"])
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split()[:2] for line in lines]
    assert sum(name == "point_sup" for name, _ in rows) == 11
    assert ["psps", "scenes-p1"] in rows and ["psps-ablation", "no-color"] in rows
    assert lines[0].split() == ["point_sup", "nuclei-masks", "masks", "masks", "seed", "0", "small"]
    assert "from nuclei-p10-seed0" in next(line for line in lines if "nuclei-self-trained" in line)
    assert "data.scale=[0.4, 0.625] test.scale=0.5" in next(line for line in lines if "facades-p10" in line)
    main(["benchmark", "point-sup", "--list", "--json"])
    listed = orjson.loads(capsys.readouterr().out)
    assert [row["name"] for row in listed["benchmarks"]["point_sup"]["rows"]][-1] == "facades-p10"


def test_what_is_missing_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POINTANNO_DATA", raising=False)
    assert "NAME is missing" in _refused(capsys) and "--out is missing" in _refused(capsys, "point-sup")
    assert "--data is missing" in _refused(capsys, "point-sup", "--out", "results")
    assert "did you mean point_sup" in _refused(capsys, "pointsup", "--out", "results", "--data", ".")
    sentence = _refused(capsys, "point-sup", "--out", "results", "--data", ".", "--schedule", "small")
    assert "nuclei/train/instances.json: row nuclei-masks needs this file" in sentence


def test_the_data_folder_may_be_named_by_the_environment(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("POINTANNO_DATA", str(tmp_path / "elsewhere"))
    assert str(tmp_path / "elsewhere" / "nuclei") in _refused(
        capsys, "point-sup", "--out", "results", "--schedule", "small"
    )
