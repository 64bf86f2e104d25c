"""Plans: what is refused, how settings add up, and that those that ship can be run."""

from __future__ import annotations

import importlib
import itertools
from pathlib import Path

import pytest

from pointanno.benchmark import available_benchmarks, read_plan
from pointanno.benchmark.plan import Row, resolve_row
from pointanno.errors import InputError
from pointanno.systems import load_system

RECIPES = {
    "point_sup": "pointanno_models.point_sup.recipe:PointSupRecipe",
    "psps": "pointanno_models.psps.recipe:PSPSRecipe",
}


def _row(plan_path: Path, name: str, schedule: str = "small", steps: int | None = None) -> Row:
    descriptor, plan = read_plan("toy_points", plan_path)
    return resolve_row(
        plan, plan.row(name), descriptor, schedule=schedule, steps=steps, data=Path("data"), out=Path("out")
    )


@pytest.mark.parametrize("benchmark", available_benchmarks())
def test_every_row_that_ships_has_a_recipe_that_its_system_accepts(benchmark: str) -> None:
    from pointanno_models.recipe import recipe_from_mapping

    descriptor, plan = read_plan(benchmark)
    module, _, name = RECIPES[descriptor.name].partition(":")
    record = getattr(importlib.import_module(module), name)
    assert "small" in plan.schedules
    for schedule, row in itertools.product(plan.schedules, plan.rows):
        resolved = resolve_row(plan, row, descriptor, schedule=schedule, steps=None, data=Path("data"), out=Path("out"))
        recipe_from_mapping(record, resolved.recipe, row.name)
        assert resolved.system == descriptor.name


@pytest.mark.parametrize("system", available_benchmarks())
def test_indifferent_settings_exist(system: str) -> None:
    from pointanno_models.engine.recipe import flatten, read_recipe

    descriptor, plan = read_plan(system)
    assert set(plan.indifferent) <= set(dict(flatten(read_recipe(descriptor, "small")[0])))


def test_point_sup_has_the_rows_of_its_table() -> None:
    _, plan = read_plan("point-sup")
    assert {row.name for row in plan.rows} == {
        "nuclei-masks", "nuclei-p10-seed0", "nuclei-p10-seed1", "nuclei-p10-seed2", "nuclei-p20",
        "nuclei-implicit-p10-seed0", "nuclei-implicit-p10-seed1", "nuclei-implicit-masks", "nuclei-self-trained",
        "facades-masks", "facades-p10",
    }  # fmt: skip
    assert [row.seed for row in plan.members("nuclei-p10")] == [0, 1, 2]
    assert plan.row("nuclei-self-trained").init == "nuclei-p10-seed0"


def test_overrides_add_up_and_the_row_has_the_last_word(toy_installed: None, plan_path: Path) -> None:
    text = plan_path.read_text().replace(
        "twin = \"first\"\noverrides = [", "twin = \"first\"\noverrides = ['train.batch_size=1', "
    )  # fmt: skip
    plan_path.write_text(text)
    small, wide = _row(plan_path, "continued"), _row(plan_path, "continued", "gpu")
    assert small.overrides == ("train.batch_size=2", "train.batch_size=1", "network.stages=['first']")
    assert small.recipe["train"]["batch_size"] == 1 and small.recipe["network"]["channels"] == 6
    assert wide.recipe["network"]["channels"] == 8
    assert _row(plan_path, "first").recipe["train"]["batch_size"] == 2


def test_words_of_the_commands(toy_installed: None, plan_path: Path) -> None:
    row = _row(plan_path, "continued", steps=7)
    out, data = Path("out").absolute(), Path("data").absolute()
    assert row.simulate_words() == [
        "simulate", f"{data}/scenes/train/instances.json", "--protocol", "box-points", "-n", "5", "--seed", "0",
        "-o", f"{out}/continued/points.json",
    ]  # fmt: skip
    assert row.train_words() == [
        "train", f"{out}/continued/points.json", "--images", f"{data}/scenes/train/images", "--system", "toy_points",
        "--recipe", "small", "--supervision", "points", "--seed", "0", "--run", f"{out}/continued/run",
        "--set", "train.batch_size=2", "network.stages=['first']", "--init", f"{out}/first/run", "--steps", "7",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('name = "first"', 'name = "continued"', "two rows are called continued"),
        ('data_set = "scenes"\npoints', 'data_set = "scene"\npoints', "row continued: there is no data set 'scene'"),
        ('init = "first"', 'init = "continued"', "init = 'continued' is no row above it"),
        ('twin = "first"', 'twin = "nobody"', "twin = 'nobody' is no row"),
        ('to = "ten"', 'to = "nine"', "'nine' is neither a row nor a group"),
        ("points = 5", "point = 5", "rows.2.point: Extra inputs are not permitted"),
        ("points = 5", "points = 0", "rows.2.points: Input should be greater than or equal to 1"),
        ('group = "ten"', 'group = "continued"', "continued is the name of a row and of a group"),
        ("points = 5", "points == 5", "not a TOML file"),
    ],
)
def test_a_plan_that_cannot_work_is_refused_by_name(
    toy_installed: None, plan_path: Path, old: str, new: str, sentence: str
) -> None:
    plan_path.write_text(plan_path.read_text().replace(old, new))
    with pytest.raises(InputError) as refused:
        read_plan("toy_points", plan_path)
    assert sentence in str(refused.value) and str(plan_path) in str(refused.value)


def test_unknown_names_list_the_known_ones(toy_installed: None, plan_path: Path) -> None:
    _, plan = read_plan("toy_points", plan_path)
    with pytest.raises(InputError, match="the rows are first, other-seed, continued"):
        plan.row("last")
    with pytest.raises(InputError, match="this benchmark has small, gpu"):
        plan.schedule("large")
    with pytest.raises(InputError, match="toy_points: this system has no plan; benchmarks are point_sup"):
        read_plan("toy_points")
    with pytest.raises(InputError, match="did you mean point_sup"):
        read_plan("pointsup")
    plan_path.write_text(plan_path.read_text().replace("network.stages", "network.stage"))
    with pytest.raises(InputError, match="row first: --set .* has no setting 'network.stage'"):
        _row(plan_path, "first")


def test_missing_pictures_say_which_layout_is_expected(
    toy_installed: None, plan_path: Path, data: Path, tmp_path: Path
) -> None:
    descriptor, plan = read_plan("toy_points", plan_path)
    row = resolve_row(plan, plan.rows[0], descriptor, schedule="small", steps=None, data=data, out=tmp_path)
    row.check_data()
    away = resolve_row(plan, plan.rows[0], descriptor, schedule="small", steps=None, data=tmp_path, out=tmp_path)
    with pytest.raises(InputError, match="scenes/train and scenes/val, each with images/ and instances.json"):
        away.check_data()


def test_the_key_changes_with_what_a_result_depends_on(
    toy_installed: None, plan_path: Path, data: Path, tmp_path: Path
) -> None:
    descriptor, plan = read_plan("toy_points", plan_path)

    def key(name: str, schedule: str = "small", steps: int | None = None, out: Path = tmp_path) -> str:
        row = resolve_row(plan, plan.row(name), descriptor, schedule=schedule, steps=steps, data=data, out=out)
        return row.key()

    keys = [key("first"), key("other-seed"), key("continued"), key("first", "gpu"), key("first", steps=3)]
    assert len(set(keys)) == 5
    assert key("first", out=tmp_path / "elsewhere") == keys[0]


def test_systems_without_a_plan_are_no_benchmarks(toy_installed: None) -> None:
    assert "toy_points" not in available_benchmarks()
    assert load_system("toy_points").name == "toy_points"
