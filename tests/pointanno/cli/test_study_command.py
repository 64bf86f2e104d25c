"""`pointanno study`: files, one JSON object, and sentences for what cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest
from PIL import Image as Picture

from pointanno.cli.main import main
from pointanno.dataset import Category
from pointanno.project import Project

MS = 1_000_000


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Four clicks, 500 ms apart."""
    pictures = tmp_path / "images"
    pictures.mkdir()
    Picture.fromarray(np.zeros((40, 60), np.uint8)).save(pictures / "a.png")
    with Project.create(tmp_path / "p", images=pictures, categories=[Category(1, "cell", True)]) as made:
        made.record("session_start", {"mode": "single_point"}, t_mono_ns=1000 * MS)
        made.record("image_shown", {}, image_id=1, t_mono_ns=2000 * MS)
        for number in range(4):
            payload = {"uid": f"{number:032x}", "category_id": 1, "x": number, "y": 0}
            made.record("click", payload, image_id=1, t_mono_ns=(2500 + 500 * number) * MS)
        made.record("session_end", {}, t_mono_ns=5000 * MS)
        return made.path


def test_report_and_files(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["study", str(project), "-o", str(tmp_path / "r.html"), "--files", str(tmp_path / "f"), "--warm-up", "0"])
    told = capsys.readouterr().out
    assert "click    0.50 s median of 4" in told and str(tmp_path / "r.html") in told
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert (tmp_path / "f" / "items.csv").read_text().startswith("kind,session,annotator")


def test_references_of_the_reader(project: Path, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    main(["study", str(project), "-o", str(page), "--warm-up", "0", "--reference", "click=2.5=our <old> tool"])
    text = page.read_text(encoding="utf-8")
    assert "our &lt;old&gt; tool" in text and "2.5 s: given by the reader" in text and "79.2" in text


def test_json_is_one_object(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["study", str(project), "--json", "--warm-up", "0"])
    found = orjson.loads(capsys.readouterr().out)
    (row,) = [row for row in found["tables"]["times"] if (row["kind"], row["by"]) == ("click", "all")]
    assert (row["n"], row["median_ms"], found["files"]) == (4, 500.0, [])
    assert found["tables"]["totals"][-1]["elapsed_s"] == 4.0 and found["precision"]["no_claim_below_ms"] == 30.0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "expected a file for the report"),
        (["-o", "{}/no/r.html"], "does not exist"),
        (["-o", "{}"], "is a folder"),
        (["--json", "--idle", "0"], "expected seconds above 0"),
        (["--json", "--warm-up", "-1"], "0 or more"),
        (["--json", "--warm-up", "1.5"], "expected a whole number, received '1.5'"),
        (["--json", "--warm-up", "99999999999999999999"], "expected a whole number"),
        (["--json", "--warm-up", "1000001"], "at most 1,000,000"),
        (["--json", "--idle", "inf"], "expected seconds above 0, at most"),
        (["--json", "--idle", "1e300"], "expected seconds above 0, at most"),
        (["--json", "--reference", "polygon=4"], "expected KIND=SECONDS=LABEL"),
        (["--json", "--reference", "object=soon=x"], "received 'object=soon=x'"),
        (["--files", "{}/images/a.png"], "is a file"),
    ],
)
def test_bad_input_is_one_sentence(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["study", str(project), *(one.format(tmp_path) for one in arguments)])
    assert stop.value.code == 2 and sentence in capsys.readouterr().err


def test_project_without_work_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = tmp_path / "images"
    pictures.mkdir()
    Picture.fromarray(np.zeros((40, 60), np.uint8)).save(pictures / "a.png")
    Project.create(tmp_path / "p", images=pictures, categories=[Category(1, "cell", True)]).close()
    main(["study", str(tmp_path / "p.pointanno"), "-o", str(tmp_path / "r.html")])
    assert "nothing was annotated in the window yet" in capsys.readouterr().err and (tmp_path / "r.html").exists()


def test_session_of_no_length_makes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The window died right after it opened: everything stands at one instant."""
    pictures = tmp_path / "images"
    pictures.mkdir()
    Picture.fromarray(np.zeros((40, 60), np.uint8)).save(pictures / "a.png")
    with Project.create(tmp_path / "p", images=pictures, categories=[Category(1, "cell", True)]) as made:
        made.record("session_start", {"mode": "single_point"}, t_mono_ns=1000 * MS)
        made.record("image_shown", {}, image_id=1, t_mono_ns=1000 * MS)
        click = {"uid": "1" * 32, "category_id": 1, "x": 1, "y": 0}
        made.record("click", click, image_id=1, t_mono_ns=1000 * MS)
    main(["study", str(made.path), "-o", str(tmp_path / "r.html"), "--warm-up", "0"])
    assert "work     0 s" in capsys.readouterr().out
    assert (tmp_path / "r.html").is_file()


def test_changed_journal_is_one_sentence_and_loses_nothing(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Project.open(project) as opened:
        opened.record("ui_stall", {"ns": "long"}, t_mono_ns=5500 * MS)
    for words in (["study", str(project), "--json"], ["export", str(project), "-o", str(tmp_path / "e.json")]):
        with pytest.raises(SystemExit) as stop:
            main(words)
        told = capsys.readouterr().err
        assert stop.value.code == 2 and "(ui_stall), ns: expected" in told and "--no-times" in told
    main(["export", str(project), "-o", str(tmp_path / "e.json"), "--no-times"])
    assert "and 4 clicks" in capsys.readouterr().out
