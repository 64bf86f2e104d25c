"""What the window shows of a report is what the report says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import orjson
import pytest

from pointanno.project import Project
from pointanno.timing.digest import digest, main
from pointanno.timing.findings import Findings, Options, find
from pointanno.timing.running import JournalWatch
from pointanno.timing.words import duration, seconds


@pytest.fixture(scope="module")
def findings(worked_on: Path) -> Findings:
    with Project.open(worked_on, writable=False) as project:
        return find(project)


def test_words_are_those_of_the_tables(findings: Findings) -> None:
    found = digest(findings)
    whole = findings.tables["totals"][-1]
    assert found["numbers"][0] == (duration(whole["work_s"]), "work")
    (row,) = [row for row in findings.tables["times"] if (row["kind"], row["group"]) == ("box", "box_points")]
    assert ["boxes, box_points", str(row["n"])] in [line[:2] for line in found["times"]["rows"]]
    assert any(line[2].startswith(seconds(row["median_ms"], 1000)) for line in found["times"]["rows"])
    assert len(found["corrections"]["rows"]) == len(findings.tables["corrections"])
    (kappa,) = [one["kappa"] for one in findings.tables["agreement"] if one["annotator"] == "all"]
    assert any(f"all and the other opinion: kappa {kappa:.2f} (95 %" in line for line in found["agreement"])
    assert len(found["conditions"]) == len(findings.tables["conditions"])
    assert found["left"] and found["claim_ms"] == findings.precision.claim_ms


def test_curves_are_those_of_the_items(findings: Findings) -> None:
    found = digest(findings)["answers"]
    edges = np.array(found["edges_s"])
    for value, group in found["groups"].items():
        times = np.sort([item.raw_ms / 1000 for item in findings.study.chosen("point") if item.value == value])
        assert group["n"] == len(times)
        assert group["count"] == np.histogram(times, edges)[0].tolist()
        for x, share in zip(group["seconds"], group["share"], strict=True):
            assert share == pytest.approx(np.mean(times <= x))
        assert group["median_s"][0] == pytest.approx(np.median(times))


def test_strip_adds_up_to_the_sessions(findings: Findings) -> None:
    found = digest(findings)["sessions"]
    assert found["left_out"] == 0 and len(found["names"]) == len(findings.tables["sessions"])
    for number, row in enumerate(findings.tables["sessions"]):
        spans = [span for span in found["spans"] if span[0] == number]
        assert sum(stop - start for _, start, stop, _ in spans) * 60 == pytest.approx(row["elapsed_s"])
        work = sum(stop - start for _, start, stop, state in spans if state == "work") * 60
        assert work == pytest.approx(row["work_s"])


def test_it_is_a_process_that_needs_no_figures(worked_on: Path) -> None:
    """matplotlib would cost the window a second and a hundred megabytes."""
    script = (
        "import sys; from pointanno.timing.digest import main; code = main(sys.argv[1:]); "
        "sys.exit(code or 7 * ('matplotlib' in sys.modules))"
    )
    words = [sys.executable, "-c", script, str(worked_on), "--answers", "final", "--warm-up", "0"]
    done = subprocess.run(words, capture_output=True, check=True)
    with Project.open(worked_on, writable=False) as project:
        expected = digest(find(project, Options(warm_up=0, answers="final")))
    assert orjson.loads(done.stdout) == orjson.loads(orjson.dumps(expected))


def test_what_is_no_project_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "no")]) == 2
    assert "there is no such project" in capsys.readouterr().err


def test_a_study_is_followed_by_session(empty_project: Project) -> None:
    watch = JournalWatch(empty_project)
    watch.look()
    assert watch.study is None and not watch.look()
    empty_project.record("study_start", {"name": "pilot"})
    assert watch.look() and watch.study == "pilot"
    assert JournalWatch(empty_project).study is None  # before its first look
    empty_project.change_annotator("anon-9")
    empty_project.record("session_start", {})
    assert watch.look() and watch.study is None
    empty_project.record("study_start", {"name": "pilot"})
    empty_project.record("study_end", {"name": "pilot"})
    assert watch.look() and watch.study is None
    empty_project.record("study_start", {})
    assert watch.look() and watch.study == "study"
    empty_project.close()  # as after a crash: no word of the end
    with Project.open(empty_project.path) as again:
        again.record("session_start", {})
        watch = JournalWatch(again)
        assert watch.look() and watch.study is None
