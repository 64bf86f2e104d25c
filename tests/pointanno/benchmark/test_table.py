"""The table from results that were made up, its numbers by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pointanno.benchmark.plan import Plan, Row, read_plan, resolve_row
from pointanno.benchmark.results import result_file
from pointanno.benchmark.table import make_table, table_to_markdown, write_table
from pointanno.runs.atomic import replace_json


@pytest.fixture
def rows(toy_installed: None, plan_path: Path, data: Path, tmp_path: Path) -> tuple[Plan, list[Row]]:
    descriptor, plan = read_plan("toy_points", plan_path)
    return plan, [
        resolve_row(plan, row, descriptor, schedule="small", steps=None, data=data, out=tmp_path / "out")
        for row in plan.rows
    ]


def _put(row: Row, ap: float | None, boxes: float) -> None:
    """A result whose AP50 is AP + 0.1, AP75 AP + 0.05; at 100 detections all are half of that."""

    def values(value: float | None) -> dict[str, dict[str, float | None]]:
        def shares(by: float) -> dict[str, float | None]:
            names = {"ap": 0.0, "ap50": 0.1, "ap75": 0.05}
            return {name: None if value is None else (value + more) * by for name, more in names.items()}

        return {"500": shares(1.0), "100": shares(0.5)}

    result: dict[str, Any] = {
        "row": row.name, "title": row.plan.title, "data_set": "scenes", "seed": row.plan.seed, "schedule": "small",
        "ap": values(ap), "boxes_filled": values(boxes), "training": {"seconds": 12.3},
        "machine": {"text": "a fast one"}, "key": row.key(),
    }  # fmt: skip
    row.folder.mkdir(parents=True, exist_ok=True)
    replace_json(result_file(row), result)


def test_means_ratios_and_brackets(rows: tuple[Plan, list[Row]]) -> None:
    """Seeds 0.5 and 0.6: mean 0.55 ± 0.05; continued 0.44: 0.88 of its twin (0.5), 0.8 of the mean."""
    plan, found = rows
    for row, ap in zip(found, (0.5, 0.6, 0.44), strict=True):
        _put(row, ap, 0.2)
    table = make_table(plan, found)
    [group] = table["groups"]
    assert group["n"] == 2
    assert group["ap"]["500"]["ap"] == pytest.approx({"mean": 0.55, "half_range": 0.05})
    assert group["ap"]["100"]["ap50"] == pytest.approx({"mean": 0.325, "half_range": 0.025})
    assert table["rows"][2]["of_twin"]["500"]["ap"] == pytest.approx(0.88)
    [ratio] = table["ratios"]
    assert ratio["values"]["500"] == pytest.approx({"ap": 0.8, "ap50": 0.54 / 0.65, "ap75": 0.49 / 0.6})
    text = table_to_markdown(table)
    assert "4 pictures with " in text and "Cut to" not in text
    lines = {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")] for line in text.splitlines()
             if line.startswith("|")}  # fmt: skip
    assert lines["P10, seed 0"][2:] == [
        "0.500 (0.250)", "0.600 (0.300)", "0.550 (0.275)", "0.200 (0.100)", "0.300 (0.150)", "0.250 (0.125)",
        "", "12 s", "a fast one", "",
    ]  # fmt: skip
    assert lines["P5, continued"][8] == "0.880 (0.880)"
    mean = lines["**P10, mean ± half of the range (n = 2)**"]
    assert mean[2] == "0.550 ± 0.050 (0.275 ± 0.025)" and mean[5] == "0.200 ± 0.000 (0.100 ± 0.000)"
    assert lines["continued / first"][2] == "0.800 (0.800)"


def test_what_is_missing_is_said(rows: tuple[Plan, list[Row]]) -> None:
    plan, found = rows
    table = make_table(plan, found)
    assert [row["state"] for row in table["rows"]] == ["not run"] * 3
    assert table["ratios"][0]["values"] is None and table["groups"][0]["n"] == 0
    _put(found[0], 0.5, 0.2)
    table = make_table(plan, found)
    assert [row["state"] for row in table["rows"]] == ["finished", "not run", "not run"]
    text = table_to_markdown(table)
    assert "mean" not in text  # of one
    assert text.count("not run") == 5  # two rows, three cells of the ratio


def test_a_result_of_other_settings_is_none(rows: tuple[Plan, list[Row]]) -> None:
    plan, found = rows
    _put(found[0], 0.5, 0.2)
    changed = result_file(found[0])
    changed.write_text(changed.read_text().replace(found[0].key(), "0" * 64))
    assert make_table(plan, found)["rows"][0]["state"] == "not run"


def test_undefined_ap_is_a_dash(rows: tuple[Plan, list[Row]], tmp_path: Path) -> None:
    plan, found = rows
    _put(found[0], None, 0.2)
    _put(found[2], 0.4, 0.2)
    table = make_table(plan, found)
    assert table["ratios"][0]["values"]["500"]["ap"] is None
    text = table_to_markdown(table)
    assert "| - (-)" in text
    write_table(tmp_path, table, text)
    assert (tmp_path / "table.md").read_text(encoding="utf-8") == text
    assert (tmp_path / "table.json").read_text(encoding="utf-8").startswith("{\n")
