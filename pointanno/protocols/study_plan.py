"""The plan of a study: which ways of annotating are compared, on which pictures, by how many people.

The plan is data that never changes; what follows from it (who does what in which order) is computed by
`StudyPlan.schedule`. It is written as TOML or JSON and travels in a project as an event (`pointanno.project.studies`).
"""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pointanno.errors import InputError
from pointanno.protocols.registry import PROTOCOLS, Protocol, make_protocol
from pointanno.protocols.study_order import dealt, orders_of_person, shuffled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Name = Annotated[str, Field(min_length=1, max_length=1000)]
Label = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^\S(.*\S)?$")]

MAIN_OPTION = {"box_points": "points_per_box", "multi_point": "points_per_target"}
"""What a bare number after the colon of ``box_points:10`` means."""

OPTIONS = {
    "single_point": frozenset[str](),
    "multi_point": frozenset({"points_per_target"}),
    "box_points": frozenset({"points_per_box", "draw"}),
    "mask": frozenset({"exclusive"}),
}
"""Options that a condition may set; in a study the order is that of the plan."""

KINDS: dict[str, type] = {"points_per_target": int, "points_per_box": int, "draw": str, "exclusive": bool}
_KIND_WORDS: dict[type, str] = {int: "a whole number", str: "a word", bool: "true or false"}


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Condition(_Record):
    """One of the ways of annotating that are compared."""

    name: Label
    """As it stands in the report."""
    mode: str
    """Name of a protocol."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Arguments of the protocol, such as points_per_box."""

    @model_validator(mode="after")
    def _is_known(self) -> Condition:
        if self.mode not in PROTOCOLS:
            raise ValueError(f"mode: expected one of {', '.join(PROTOCOLS)}, received {self.mode!r}")
        known = OPTIONS[self.mode]
        for option in self.options:
            if option not in known:
                raise ValueError(f"{self.mode} has no option {option!r} here ({', '.join(sorted(known)) or 'none'})")
            value, kind = self.options[option], KINDS[option]
            if type(value) is not kind:
                raise ValueError(f"{option}: expected {_KIND_WORDS[kind]}, received {value!r}")
        try:
            make_protocol(self.mode, self.options)
        except InputError as error:
            raise ValueError(str(error)) from None
        return self

    def protocol(self, settings: Mapping[str, Any]) -> Protocol:
        """What asks under this condition, with the seed and the defaults of a project."""
        shared = {name: settings[name] for name in ("seed", "points_per_box") if name in settings}
        return make_protocol(self.mode, {**shared, **self.options})


class Breaks(_Record):
    """When the person is asked to rest; the clock stands still meanwhile."""

    after_block: bool = True
    minutes: Annotated[float, Field(ge=0)] = 0
    """Also after so many minutes without a break, before the next picture; 0 for never."""


class StudyPlan(_Record):
    """A study, complete: two copies of a plan mean the same work in the same order."""

    name: Label = "study"
    conditions: tuple[Condition, ...] = Field(min_length=1, max_length=26)
    participants: Annotated[int, Field(ge=1, le=10_000)]
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    images: tuple[Name, ...] = Field(min_length=1)
    """File names, as in the project, of the pictures that are measured."""
    practice: tuple[Name, ...] = ()
    """Pictures to practise on before the blocks, dealt among them."""
    gold: tuple[Name, ...] = ()
    """Those of `images` that carry known answers, spread evenly over the blocks."""
    again: bool = False
    """Whether everybody does every picture under every condition; else each picture once."""
    warm_up: Annotated[int, Field(ge=0, le=10_000)] = 10
    """Actions at the beginning of each session and condition that the report leaves out."""
    zoom: Literal["fit"] | Annotated[float, Field(gt=0, le=256)] = "fit"
    """Canvas pixels for each pixel of the picture; "fit" shows each picture whole, and holds that."""
    breaks: Breaks = Breaks()

    @model_validator(mode="after")
    def _is_possible(self) -> StudyPlan:
        for field, names in (
            ("conditions", [one.name for one in self.conditions]),
            ("images", self.images),
            ("practice", self.practice),
            ("gold", self.gold),
        ):
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                raise ValueError(f"{field}: {twice[0]!r} is named twice")
        blocks = len(self.conditions)
        if not self.again and len(self.images) < blocks:
            raise ValueError(f"images: expected at least one for each of {blocks} conditions, or again = true")
        both = sorted(set(self.images) & set(self.practice))
        if both:
            raise ValueError(f"practice: {both[0]!r} is among the measured images, too")
        if self.practice and not self.again and len(self.practice) < blocks:
            raise ValueError(f"practice: expected at least one image for each of {blocks} conditions, or none")
        strange = sorted(set(self.gold) - set(self.images))
        if strange:
            raise ValueError(f"gold: {strange[0]!r} is not among the images")
        return self

    def schedule(self, participant: int) -> Schedule:
        """What one person does, in order.

        Parameters
        ----------
        participant : int, from 1

        Raises
        ------
        InputError
            If the plan is for fewer people.
        """
        if not 1 <= participant <= self.participants:
            raise InputError(
                f"study {self.name}: participant {participant} is not among 1 to {self.participants}. Choose one of "
                "them, or plan the study for more people"
            )
        count = len(self.conditions)
        key = (self.seed, self.name)
        hands = self._hands(self.images, self.gold, "images")
        practice = self._hands(self.practice, (), "practice")
        treatments, pictures = orders_of_person(count, participant - 1, *key)
        return Schedule(
            participant,
            tuple(
                Block(
                    number,
                    self.conditions[treatment],
                    shuffled(practice[number], *key, "practice order", participant, number),
                    shuffled(hands[hand], *key, "order", participant, number),
                )
                for number, (treatment, hand) in enumerate(zip(treatments, pictures, strict=True))
            ),
        )

    def _hands(self, names: Sequence[str], marked: Sequence[str], purpose: str) -> tuple[tuple[str, ...], ...]:
        count = len(self.conditions)
        if self.again:
            return (tuple(names),) * count
        return dealt(shuffled(names, self.seed, self.name, purpose), count, marked)

    def imbalance(self) -> tuple[str, ...]:
        """What so many people cannot balance, one sentence each."""
        count, found = len(self.conditions), []
        rows = count if count % 2 == 0 else 2 * count
        if count == 1:
            return ()
        if self.participants % count:
            found.append(
                f"{self.participants} participants are no multiple of {count}: conditions do not stand equally often "
                "at each place" + ("" if self.again else ", nor meet each image equally often")
            )
        elif self.participants % rows:
            found.append(
                f"{self.participants} participants are no multiple of {rows}: conditions do not precede one another "
                "equally often"
            )
        if not self.again and len(self.images) % count:
            found.append(f"{len(self.images)} images are no multiple of {count}: blocks differ by one image")
        return tuple(found)

    def as_payload(self) -> dict[str, Any]:
        """The plan in plain types, as JSON knows them."""
        return self.model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class Block:
    """One condition of one person.

    Attributes
    ----------
    number : from 0
    practice, images : file names in the order in which they are shown
    """

    number: int
    condition: Condition
    practice: tuple[str, ...]
    images: tuple[str, ...]

    def part(self, practice: bool) -> tuple[str, ...]:
        """The images of one part."""
        return self.practice if practice else self.images


@dataclass(frozen=True, slots=True)
class Schedule:
    """The blocks of one person, in order."""

    participant: int
    blocks: tuple[Block, ...]


_BRANCHES = ("constrained-float", "float", "literal['fit']")
"""What pydantic adds to the place of a field that takes one of two kinds."""


def parse_plan(values: Mapping[str, Any], *, file: str = "study plan") -> StudyPlan:
    """A plan from plain values.

    Raises
    ------
    InputError
        Naming file and field.
    """
    try:
        return StudyPlan.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(
            str(part) for part in first["loc"] if part not in ("constrained-float", "float", "literal['fit']")
        )
        received = first.get("input")
        is_plain = isinstance(received, (str, int, float)) and first["type"] not in ("missing", "value_error")
        message = first["msg"].removeprefix("Value error, ")
        told = f", received {received!r}" if is_plain else ""
        where = f"{file}, {place}" if place else file
        raise InputError(f"{where}: {message}{told}. Correct the plan") from None


def read_plan(path: Path) -> dict[str, Any]:
    """What a TOML or JSON file says about a study; a project may add the images.

    Raises
    ------
    InputError
        If it cannot be read or is no table of fields.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Name a TOML or JSON file") from None
    try:
        values = orjson.loads(raw) if path.suffix.lower() == ".json" else tomllib.loads(raw.decode("utf-8-sig"))
    except (orjson.JSONDecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        kind = "JSON" if path.suffix.lower() == ".json" else "TOML"
        raise InputError(f"{path}: is not valid {kind} ({error}). Correct the file") from None
    except (RecursionError, ValueError):  # tables within tables, numbers of thousands of digits
        raise InputError(f"{path}: is nested too deeply, or a number in it is too long. Correct the file") from None
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected a table of fields such as conditions and participants")
    unknown = sorted(set(values) - set(StudyPlan.model_fields))
    if unknown:
        known = ", ".join(StudyPlan.model_fields)
        raise InputError(f"{path}, {unknown[0]}: there is no such field; expected {known}. Correct the plan")
    for field in ("conditions", "images", "practice", "gold"):
        if not isinstance(values.get(field, []), list):
            raise InputError(f"{path}, {field}: expected a list, received {values[field]!r:.60}. Correct the plan")
    if not isinstance(values.get("breaks", {}), dict):
        raise InputError(f"{path}, breaks: expected a table, received {values['breaks']!r:.60}. Correct the plan")
    return values


def parse_condition(text: str) -> dict[str, Any]:
    """A condition as it is written on the command line: ``mask``, ``box_points:10``, ``box_points:10,draw=extreme``.

    The name is the text itself, or what stands before an equals sign at the start: ``B10=box_points:10``.

    Raises
    ------
    InputError
        If it names no way of annotating, or an option cannot be understood.
    """
    name, text_of_mode = text, text
    head = text.split(":")[0]
    if "=" in head:
        name, text_of_mode = text.split("=", 1)
    mode, _, rest = text_of_mode.partition(":")
    if mode not in PROTOCOLS:
        raise InputError(f"condition {text!r}: expected one of {', '.join(PROTOCOLS)}, such as box_points:10")
    options: dict[str, Any] = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            key, value = MAIN_OPTION.get(mode, ""), part
        if not key or not value:
            raise InputError(f"condition {text!r}: {part!r} is no option of {mode}. Write such as draw=extreme")
        options[key] = _plain_value(value)
    values = {"name": name, "mode": mode, "options": options}
    try:
        Condition.model_validate(values)
    except ValidationError as error:
        message = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise InputError(f"condition {text!r}: {message}") from None
    return values


def _plain_value(text: str) -> int | bool | str:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isdecimal() else text
