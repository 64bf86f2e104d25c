"""The page and the files beside it: what they hold, for large, tiny and empty projects."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import orjson
import pytest
from PIL import Image as Picture

from pointanno.dataset import Box, Category, Image, Instance, PointDataset, Points
from pointanno.project import Project
from pointanno.timing.findings import Findings, Options, as_json, find
from pointanno.timing.report import cell, columns, render, write_report
from pointanno.timing.words import duration, seconds

FIGURES = {
    "answer_times", "object_parts", "learning", "box_size", "timeline", "speed_accuracy", "conditions", "literature",
    "idle_sensitivity",
}  # fmt: skip


@pytest.fixture(scope="module")
def findings(worked_on: Path) -> Findings:
    with Project.open(worked_on, writable=False) as project:
        return find(project)


class _Page(HTMLParser):
    """Collects tables, addresses and the nesting of a page."""

    VOID = frozenset("meta br link img input hr".split())

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []
        self.cells: list[str] = []
        self._in_cell = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "action", "data"):
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "td":
            self._in_cell = True
            self.cells.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "td":
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.cells[-1] += data


@pytest.fixture(scope="module")
def page(findings: Findings) -> str:
    return render(findings)


def test_page_holds_every_figure_and_needs_no_network(page: str) -> None:
    found = _Page(page)
    assert not found.open and all(address.startswith("#") for address in found.addresses)
    assert len(found.ids) == len(set(found.ids))
    assert set(re.findall(r'id="fig-(\w+)"', page)) == FIGURES
    for name in FIGURES:
        assert f'data-figure="{name}"' in page
    styles = re.findall(r"url\(([^)]*)\)|@import", page)
    assert all(address.startswith("#") for address in styles)
    references = {address[1:] for address in [*found.addresses, *styles]}
    assert references <= set(found.ids)
    assert "debris &amp; &lt;dirt&gt;" in page and "<dirt>" not in page


def test_numbers_of_the_page_are_those_of_the_files(findings: Findings, tmp_path: Path) -> None:
    written = write_report(findings, tmp_path / "r.html", files=tmp_path / "files")
    assert written[0] == tmp_path / "r.html" and all(path.stat().st_size for path in written[:2])
    page = _Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    shown = set(page.cells)
    for name in ("times", "totals", "corrections", "conditions", "throughput", "agreement"):
        rows = list(csv.DictReader(io.StringIO((tmp_path / "files" / f"{name}.csv").read_text())))
        lines = (tmp_path / "files" / f"{name}.jsonl").read_bytes().splitlines()
        assert len(rows) == len(lines) == len(findings.tables[name]) > 0
        for row, line in zip(rows, lines, strict=True):
            exact = orjson.loads(line)
            assert {key: "" if value is None else str(value) for key, value in exact.items()} == {
                key: row[key] for key in exact
            }
            for column in columns(findings.tables[name], {*exact}):
                assert cell(exact, column) in shown
    for name in FIGURES:
        root = ElementTree.parse(tmp_path / "files" / f"{name}.svg").getroot()
        assert root.tag.endswith("svg")


def test_same_project_gives_the_same_bytes(worked_on: Path, page: str, tmp_path: Path) -> None:
    (tmp_path / "r.html").write_text("an older report")
    with Project.open(worked_on, writable=False) as project:
        assert write_report(find(project), tmp_path / "r.html") == [tmp_path / "r.html"]
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == page and len(list(tmp_path.iterdir())) == 1


def test_settings_are_heeded(worked_on: Path, findings: Findings) -> None:
    with Project.open(worked_on, writable=False) as project:
        other = find(project, Options(idle_s=2.0, warm_up=0, answers="final", trimmed=True))
    before, after = findings.tables["totals"][-1], other.tables["totals"][-1]
    assert before["raw_s"] == after["raw_s"] and before["work_s"] > after["work_s"]
    (used,) = [row for row in findings.tables["idle_sensitivity"] if row["idle_after_s"] == 2]
    assert used["work_s"] == pytest.approx(after["work_s"])
    counts = {row["kind"]: row for row in other.tables["counts"]}
    assert all(row["warm_up"] == 0 for row in counts.values())
    points = other.study.chosen("point", answers="final")
    assert points and all(item.superseded_by is None for item in points)
    assert "What stands in the end counts." in render(other)


def test_names_only_on_request(worked_on: Path, page: str, tmp_path: Path) -> None:
    copy = tmp_path / worked_on.name
    shutil.copytree(worked_on, copy)
    with Project.open(copy) as project:
        project.name_annotator("anon-1", "Ada Lovelace")
        told = render(find(project, Options(with_names=True)))
        hidden = orjson.dumps(as_json(find(project))).decode()
    assert "Ada" not in hidden and "anon-1" in hidden and "anon-1" in page
    assert "Ada Lovelace" in told and "anon-1" not in told and "anon-2" in told


def make(folder: Path) -> Project:
    pictures = folder / "images"
    pictures.mkdir()
    Picture.fromarray(np.zeros((200, 300), np.uint8)).save(pictures / "a.png")
    return Project.create(folder / "p", images=pictures, categories=[Category(1, "cell", True)])


def test_empty_project_says_so(tmp_path: Path) -> None:
    with make(tmp_path) as project:
        found = find(project)
    page = render(found)
    assert not found.is_timed and "No session with a clock" in page and "<svg" not in page
    assert as_json(found)["tables"]["totals"] == [] and not _Page(page).open
    assert "± 30 ms" in page


@pytest.mark.parametrize("actions", ["show", "click", "answer", "box", "undo"])
def test_tiny_project_gives_an_honest_report(
    actions: str, tmp_path: Path, worker: Callable[[Project, int], Any]
) -> None:
    """One item, and nothing is known about its scatter."""
    with make(tmp_path) as project:
        person = worker(project, 0)
        person.begin("box_points")
        person.show(1)
        if actions in ("click", "undo"):
            person.click(0)
        if actions == "undo":
            person.wait(1)
            project.undo(t_mono_ns=person.now)
        if actions in ("box", "answer"):
            person.box(0, 2 if actions == "answer" else 0)
        found = find(project, Options(warm_up=0))
    page = render(found)
    assert not _Page(page).open and "nan" not in page.lower().replace("resonan", "")
    (session,) = found.tables["sessions"]
    assert session["ended"] == "without an end" and session["elapsed_s"] > 0
    if actions == "click":
        (row,) = [row for row in found.tables["times"] if (row["kind"], row["by"]) == ("click", "all")]
        assert row["n"] == 1 and row["median_ms_low"] is None and cell(row, "median_ms").isdecimal()


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0 s"), (3.21, "3.2 s"), (75.4, "1 min 15 s"), (3725.0, "1 h 02 min"), (None, "-")]
)
def test_durations_in_words(value: float | None, text: str) -> None:
    assert duration(value) == text


def test_seconds_are_not_told_finer_than_they_are_known() -> None:
    assert [seconds(one, 1000) for one in (812.345, 123456.0, None)] == ["0.81 s", "123 s", "-"]


def test_classes_of_any_name_stand_in_figures(tmp_path: Path, worker: Callable[[Project, int], Any]) -> None:
    """Neither a formula, nor markup, nor letters that the font lacks may break a figure."""
    names = ["$\\frac{1$ <b>&", "Zellkörper 細胞 ядро"]
    with make(tmp_path) as project:
        for name in names:
            project.add_category(name, isthing=True)
        person = worker(project, 0)
        person.begin("box_points")
        person.show(1)
        ids = [category.id for category in project.categories() if category.name in names]
        for number in range(4):
            person.wait(1)
            uid, extent = f"{number:032x}", 30.0 + 5 * number
            payload = {"uid": uid, "category_id": ids[number % 2], "box": [2.0, 2.0, extent, extent]}
            person.write("box", {**payload, "point_coords": []}, typed=True)
        found = find(project, Options(warm_up=0))
    page = render(found)
    assert not _Page(page).open and "Zellkörper 細胞 ядро" in page and "$\\frac{1$ &lt;b&gt;&amp;" in page


def test_known_answers_are_compared_with(tmp_path: Path, worker: Callable[[Project, int], Any]) -> None:
    """Gold boxes are hidden; their copies are asked about among the others."""
    coords = np.stack([np.arange(8), np.arange(8)], axis=1) + 10
    labels = np.array([1, 1, 1, 1, 0, 0, 0, -1], np.int8)
    known = Points.answered(coords, labels, source="random")
    box = Instance(id=1, image_id=1, category_id=1, box=Box(2.0, 2.0, 40.0, 30.0), points=known)
    categories = (Category(1, "cell", True),)
    dataset = PointDataset(images=(Image(1, "a.png", 200, 300),), categories=categories, instances=(box,))
    with make(tmp_path) as project:
        project.import_dataset(dataset, layer="gold")
        (gold,) = project.annotations(1, layer="gold").boxes
        person = worker(project, 0)
        person.rng = np.random.default_rng(1)
        person.begin("box_points")
        person.show(1)
        copy = {"uid": "00000001" + "d" * 24, "category_id": 1, "box": [2.0, 2.0, 40.0, 30.0], "copy_of": gold.uid}
        person.write("box", {**copy, "point_coords": coords.tolist()})
        given = ["object", "object", "object", "background", "background", "background", "unsure", "object"]
        for point, value in enumerate(given):
            person.wait(0.5)
            person.write("point_shown", {"uid": copy["uid"], "point": point, "swapped": True})
            person.wait(0.5 + 0.1 * point)
            person.write("answer", {"uid": copy["uid"], "point": point, "value": value}, typed=True)
        found = find(project, Options(warm_up=0))
    rows = {(row["against"], row["annotator"]): row for row in found.tables["agreement"]}
    row = rows["gold", "anon-1"]
    # of eight, one is unsure here and one there; of six, five are the same
    assert (row["answers"], row["share"]) == (6, 5 / 6) and row["kappa"] == pytest.approx(2 / 3)
    assert rows["(unsure)", "anon-1"]["share"] == 1 / 8
    assert {row["against"] for row in found.tables["speed_accuracy"]} == {"gold"}
    assert "known answers" in render(found)
