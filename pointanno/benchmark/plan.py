"""The plan of a benchmark: ``benchmark.toml`` of a system as checked records, and its rows resolved."""

from __future__ import annotations

import hashlib
import importlib
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pointanno.benchmark.metrics import METRICS, Metric
from pointanno.errors import InputError
from pointanno.scenes import write_scenes
from pointanno.systems import available_systems, load_system

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from pointanno.runs import TrainArguments
    from pointanno.systems import SystemDescriptor

FILE = "benchmark.toml"
"""The plan of a system; a second one, ``benchmark_ablation.toml``, is that of the name ``SYSTEM-ablation``."""
_SCENES_FOLDER = "scenes"
_FIRST_VAL_SCENE = 1_000_000

_NAME = r"^[a-z0-9][a-z0-9._-]*$"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Scenes(_Record):
    """Generated pictures instead of a folder of ``--data``."""

    size: int = Field(ge=48)
    """Width and height in pixels."""
    train: int = Field(ge=1)
    """Pictures to train on, of the seeds from 0 on."""
    val: int = Field(ge=1)
    """Pictures to measure on, of the seeds from 1,000,000 on."""


class DataSet(_Record):
    """Pictures to train on and others to measure on."""

    name: str = Field(pattern=_NAME)
    title: str
    train: str = ""
    """Folder relative to ``--data``; not used with `scenes`."""
    val: str = ""
    truth: str | None = None
    """Name of the truth in both folders, by default the one that the metric needs; pictures lie in ``images``."""
    scenes: Scenes | None = None
    """The pictures are generated, in the folder of the results."""
    overrides: tuple[str, ...] = ()
    """Settings of every training on these pictures, as after ``--set``; schedule and row come after."""


class Schedule(_Record):
    """A size of the trainings, for all rows alike."""

    title: str
    overrides: tuple[str, ...] = ()


class RowPlan(_Record):
    """One training."""

    name: str = Field(pattern=_NAME)
    title: str
    data_set: str
    supervision: Literal["points", "masks"] = "points"
    protocol: Literal["box-points", "single-point", "multi-point"] = "box-points"
    points: int = Field(default=10, ge=1)
    """Points of each object; not used with masks."""
    sampling: Literal["uniform", "center", "border"] = "uniform"
    """Where in an object single clicks fall."""
    seed: int = Field(default=0, ge=0)
    """Of the simulated points and of the training."""
    recipe: str = "small"
    overrides: tuple[str, ...] = ()
    init: str | None = None
    """Row whose trained weights this one starts from."""
    group: str | None = None
    """Rows of a group differ in nothing but their seed; the table adds their mean."""
    twin: str | None = None
    """Row that its results are divided by in the table."""


class Ratio(_Record):
    """A quotient that is reported below the table."""

    title: str
    of: str
    """Row or group."""
    to: str
    """Row or group."""


class Plan(_Record):
    """A whole benchmark."""

    title: str
    metric: Literal["ap", "pq"] = "ap"
    """What the rows are measured by."""
    indifferent: tuple[str, ...] = ()
    """Settings that do not change what is learnt: an older training may differ in them."""
    data_sets: tuple[DataSet, ...] = Field(min_length=1)
    schedules: dict[str, Schedule]
    rows: tuple[RowPlan, ...] = Field(min_length=1)
    ratios: tuple[Ratio, ...] = ()

    @model_validator(mode="after")
    def _names_exist(self) -> Plan:
        names = [row.name for row in self.rows]
        groups = {row.group for row in self.rows if row.group is not None}
        sets = {data_set.name for data_set in self.data_sets}
        if len(set(names)) < len(names):
            raise ValueError(f"two rows are called {next(name for name in names if names.count(name) > 1)}")
        if groups & set(names):
            raise ValueError(f"{sorted(groups & set(names))[0]} is the name of a row and of a group")
        for data_set in self.data_sets:
            if data_set.scenes is None and not (data_set.train and data_set.val):
                raise ValueError(f"data set {data_set.name}: expected train and val, or scenes")
        for number, row in enumerate(self.rows):
            if row.data_set not in sets:
                raise ValueError(f"row {row.name}: there is no data set {row.data_set!r}")
            if row.init is not None and row.init not in names[:number]:
                raise ValueError(f"row {row.name}: init = {row.init!r} is no row above it")
            if row.twin is not None and row.twin not in names:
                raise ValueError(f"row {row.name}: twin = {row.twin!r} is no row")
        for ratio in self.ratios:
            for name in (ratio.of, ratio.to):
                if name not in names and name not in groups:
                    raise ValueError(f"ratio {ratio.title!r}: {name!r} is neither a row nor a group")
        return self

    def row(self, name: str) -> RowPlan:
        """The row of that name.

        Raises
        ------
        InputError
            If there is none; lists all.
        """
        for row in self.rows:
            if row.name == name:
                return row
        raise InputError(f"--row {name!r}: there is no such row; the rows are {', '.join(r.name for r in self.rows)}")

    def data_set(self, name: str) -> DataSet:
        """The data set of that name, which the plan was checked to have."""
        return next(data_set for data_set in self.data_sets if data_set.name == name)

    def members(self, name: str) -> list[RowPlan]:
        """The row of that name, or the rows of that group."""
        return [row for row in self.rows if name in (row.name, row.group)]

    def schedule(self, name: str) -> Schedule:
        """The schedule of that name.

        Raises
        ------
        InputError
            If the plan has none.
        """
        if name not in self.schedules:
            raise InputError(f"--schedule {name!r}: this benchmark has {', '.join(self.schedules)}; name one of them")
        return self.schedules[name]


def plan_file(descriptor: SystemDescriptor, variant: str = "") -> Traversable:
    """Where a plan of a system lies, if it has that."""
    name = f"{FILE.removesuffix('.toml')}_{variant}.toml" if variant else FILE
    return files(descriptor.package) / name


def available_benchmarks() -> tuple[str, ...]:
    """Names of all plans: of a system, or of a system and a variant."""
    stem = FILE.removesuffix(".toml")
    found = []
    for system in available_systems():
        names = [file.name for file in files(load_system(system).package).iterdir() if file.name.endswith(".toml")]
        plans = sorted(name.removesuffix(".toml").removeprefix(stem) for name in names if name.startswith(stem))
        found += [system + plan.replace("_", "-") for plan in plans]
    return tuple(found)


def _system_and_variant(name: str) -> tuple[str, str]:
    """``psps-ablation`` is the variant ``ablation`` of psps; what names no system stays whole."""
    spelled = name.replace("-", "_")
    for system in sorted(available_systems(), key=len, reverse=True):
        if spelled == system or spelled.startswith(f"{system}_"):
            return system, spelled[len(system) + 1 :]
    return name, ""


def read_plan(name: str, file: Path | None = None) -> tuple[SystemDescriptor, Plan]:
    """The plan of that name that ships with a system, or the one of a file for the system that is named.

    Raises
    ------
    InputError
        If there is no such system or plan, or the plan says something that is not understood.
    """
    system, variant = _system_and_variant(name)
    descriptor = load_system(system)
    shipped = plan_file(descriptor, variant)
    source: Traversable | Path = shipped if file is None else file
    where = str(file) if file is not None else f"{descriptor.name}/{shipped.name}"
    if not source.is_file():
        if file is not None:
            raise InputError(f"{where}: --plan must be an existing file, but there is none; check the path")
        known = ", ".join(available_benchmarks()) or "none"
        wanted = f"{descriptor.name}-{variant}" if variant else descriptor.name
        has_none = "there is no such plan" if variant else "this system has no plan"
        raise InputError(f"benchmark {wanted}: {has_none}; benchmarks are {known}")
    try:
        return descriptor, Plan.model_validate(tomllib.loads(source.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{where}: not a TOML file: {error}; correct that place") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{where}: {field + ': ' if field else ''}{said}; correct the plan") from error


@dataclass(frozen=True, slots=True)
class Row:
    """A row with everything it stands for in one folder of results."""

    plan: RowPlan
    system: str
    metric: Metric
    data_set: DataSet
    schedule: str
    overrides: tuple[str, ...]
    """Of the schedule, the data set and the row, in this order."""
    recipe: dict[str, Any]
    """All settings of the training."""
    indifferent: tuple[str, ...]
    steps: int | None
    data: Path
    out: Path

    @property
    def name(self) -> str:
        """Of row and folder."""
        return self.plan.name

    @property
    def folder(self) -> Path:
        """Everything that belongs to the row."""
        return self.out / self.name

    @property
    def run(self) -> Path:
        """The run folder."""
        return self.folder / "run"

    @property
    def init_run(self) -> Path | None:
        """The run folder it starts from."""
        return None if self.plan.init is None else self.out / self.plan.init / "run"

    @property
    def truth_name(self) -> str:
        """Name of the truth in the folders of the data set."""
        return self.data_set.truth or self.metric.truth

    @property
    def train_folder(self) -> Path:
        """Folder of the pictures to train on and their truth."""
        if self.data_set.scenes is not None:
            return self.out / _SCENES_FOLDER / self.data_set.name / "train"
        return self.data / self.data_set.train

    @property
    def val_folder(self) -> Path:
        """Folder of the pictures to measure on and their truth."""
        if self.data_set.scenes is not None:
            return self.out / _SCENES_FOLDER / self.data_set.name / "val"
        return self.data / self.data_set.val

    @property
    def train_truth(self) -> Path:
        """Truth of the pictures to train on."""
        return self.train_folder / self.truth_name

    @property
    def train_images(self) -> Path:
        """Pictures to train on."""
        return self.train_folder / "images"

    @property
    def val_truth(self) -> Path:
        """Truth of the pictures to measure on."""
        return self.val_folder / self.truth_name

    @property
    def val_images(self) -> Path:
        """Pictures to measure on."""
        return self.val_folder / "images"

    def make_scenes(self) -> None:
        """Generate the pictures of a data set that consists of scenes, if they are not there."""
        wanted = self.data_set.scenes
        if wanted is None:
            return
        for folder, count, seed in (
            (self.train_folder, wanted.train, 0), (self.val_folder, wanted.val, _FIRST_VAL_SCENE),
        ):  # fmt: skip
            # written last, so what is there is whole
            if not (folder / "points.json").is_file():
                write_scenes(folder, count, wanted.size, seed, progress=True)

    @property
    def training_data(self) -> Path:
        """What is trained on: the truth itself, or the simulated points."""
        return self.train_truth if self.plan.supervision == "masks" else self.folder / "points.json"

    def check_data(self) -> None:
        """Refuse absent pictures.

        Raises
        ------
        InputError
            With the layout that is expected.
        """
        for path, kind in (
            (self.train_truth, "file"), (self.train_images, "folder"), (self.val_truth, "file"),
            (self.val_images, "folder"),
        ):  # fmt: skip
            if not (path.is_file() if kind == "file" else path.is_dir()):
                raise InputError(
                    f"{path}: row {self.name} needs this {kind}, but there is none; --data must name a folder with "
                    f"{self.data_set.train} and {self.data_set.val}, each with images/ and {self.truth_name}"
                )

    def simulate_words(self) -> list[str]:
        """Words of the command that draws the points."""
        row = self.plan
        sampling = [] if row.sampling == "uniform" else ["--sampling", row.sampling]
        return [
            "simulate", str(self.train_truth), "--protocol", row.protocol, "-n", str(row.points),
            "--seed", str(row.seed), *sampling, "-o", str(self.training_data),
        ]  # fmt: skip

    def train_words(self) -> list[str]:
        """Words of the command that trains, without device and threads."""
        row = self.plan
        words = [
            "train", str(self.training_data), "--images", str(self.train_images), "--system", self.system,
            "--recipe", row.recipe, "--supervision", row.supervision, "--seed", str(row.seed), "--run", str(self.run),
        ]  # fmt: skip
        if self.overrides:
            words += ["--set", *self.overrides]
        if self.init_run is not None:
            words += ["--init", str(self.init_run)]
        if self.steps is not None:
            words += ["--steps", str(self.steps)]
        return words

    def key(self) -> str:
        """Changes with everything that the result depends on; the pictures themselves are not looked at."""
        row = self.plan
        # points are drawn from the truth, so its hash stands for them
        truths = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (self.train_truth, self.val_truth)]
        what = [
            self.system, self.recipe, row.supervision, row.protocol, row.points, row.seed, row.init, self.steps, truths,
        ]  # fmt: skip
        if row.sampling != "uniform":  # results from before there was a choice keep their key
            what.append(row.sampling)
        return hashlib.sha256(orjson.dumps(what, option=orjson.OPT_SORT_KEYS)).hexdigest()


def resolve_row(
    plan: Plan, row: RowPlan, descriptor: SystemDescriptor, *, schedule: str, steps: int | None, data: Path, out: Path
) -> Row:
    """A row with its settings, checked against the recipe.

    Raises
    ------
    InputError
        If the recipe or a setting does not exist.
    """
    data_set = plan.data_set(row.data_set)
    overrides = (*data_set.overrides, *plan.schedule(schedule).overrides, *row.overrides)
    # by name, since recipes belong to the systems' side and the core must not depend on it
    recipes = importlib.import_module("pointanno_models.engine.recipe")
    recipe, origin = recipes.read_recipe(descriptor, row.recipe)
    try:
        recipe = recipes.apply_overrides(recipe, overrides, origin)
    except InputError as error:
        raise InputError(f"row {row.name}: {error}") from error
    if row.supervision not in descriptor.supervisions:
        raise InputError(
            f"row {row.name}: {descriptor.name} learns from {', '.join(descriptor.supervisions)}, not from "
            f"{row.supervision}; correct the plan"
        )
    return Row(
        plan=row,
        system=descriptor.name,
        metric=METRICS[plan.metric],
        data_set=data_set,
        schedule=schedule,
        overrides=overrides,
        recipe=recipe,
        indifferent=plan.indifferent,
        steps=steps,
        data=data.absolute(),
        out=out.absolute(),
    )


def steps_of(arguments: TrainArguments, recipe: dict[str, Any]) -> int | None:
    """Steps of each stage that were asked for, by option or by recipe."""
    if arguments.steps is not None:
        return arguments.steps
    table = recipe.get("train")
    return table.get("steps") if isinstance(table, dict) else None
