"""The page and the files beside it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import orjson
import pytest
from PIL import Image as Picture

from pointanno.timing.budget.costs import costs_of
from pointanno.timing.budget.findings import Findings, Trained, find
from pointanno.timing.budget.kinds import parse_kind
from pointanno.timing.budget.page import render, write_files


@pytest.fixture(scope="module")
def findings() -> Findings:
    rng = np.random.default_rng(0)
    trained = []
    for name, top in (("masks", 0.4), ("box_points:10", 0.5), ("single_point", 0.3)):
        for hours in (1.0, 3.0, 9.0) if name != "single_point" else (1.0,):
            quality = top - 0.2 / hours
            samples = tuple((quality + rng.normal(0, 0.01, 50)).tolist())
            kind = parse_kind(name)
            trained.append(Trained(f"<{name}>", kind, hours, quality, {"box": 9}, 4, samples, 0, 100))
    costs = {"box": costs_of()["box"]}
    return find(trained, costs, metric="ap", more=2, spent=3, notes=["A <note>."], facts={"Annotator": "simulated"})


def test_the_page_holds_everything_in_itself(findings: Findings) -> None:
    page = render(findings, "cells & <more>", "pointanno budget x")
    assert page.startswith("<!DOCTYPE html>") and "<svg" in page
    assert "cells &amp; &lt;more&gt;" in page and "A &lt;note&gt;." in page
    assert not re.search(r'(src|href)="(https?:)?//', page) and "@import" not in page
    assert "2 more hours of box+10, after 3 h, are worth about" in page
    assert "arXiv:1708.02750" in page and "pointanno budget x" in page
    assert "Single points: 1 amount of annotation has been trained" in page


def test_files_hold_the_same_numbers(findings: Findings, tmp_path: Path) -> None:
    written = write_files(findings, tmp_path / "files")
    assert {path.name for path in written} == {
        "table.json", "table.csv", "curves.csv", "worth.csv", "quality_by_hours.svg", "quality_by_hours.png",
    }  # fmt: skip
    table = orjson.loads((tmp_path / "files" / "table.json").read_bytes())
    rows = list(csv.DictReader(io.StringIO((tmp_path / "files" / "table.csv").read_text())))
    assert len(rows) == 7 == len(table["trainings"])
    assert float(rows[0]["quality"]) == table["trainings"][0]["quality"]
    with Picture.open(tmp_path / "files" / "quality_by_hours.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    assert picture.size[0] == 1080
    # both curves are drawn in their colours (blue and orange of the palette)
    for color in ((0, 114, 178), (230, 159, 0)):
        assert (pixels == color).all(axis=-1).sum() > 200


def test_the_same_findings_give_the_same_page(findings: Findings) -> None:
    assert render(findings, "t", "c") == render(findings, "t", "c")


def test_a_page_without_any_curve(tmp_path: Path) -> None:
    one = Trained("a", parse_kind("masks"), 1.0, 0.2, {"mask": 3}, 1)
    page = render(find([one], {"mask": costs_of()["mask"]}, metric="pq", more=2), "t")
    assert "There is no curve." in page and "PQ" in page and "do not hold what other pictures would change" in page
