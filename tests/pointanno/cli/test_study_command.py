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
