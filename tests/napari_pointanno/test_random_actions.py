"""Whatever a person does: as many undos lead back to the start, as many redos to the end."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from napari_pointanno._controllers.modes import MODES
from napari_pointanno.application import open_docks
from napari_pointanno.key_choice import DEFAULT_KEYS
from napari_pointanno.keymap import Action, KeyInput, PointerInput, digit_action
from napari_pointanno.workbench import workbench
from pointanno.coords import index_to_napari
from pointanno.project import Project
from pointanno.project.payloads import ANNOTATING
from pointanno.timing.clock import now_ns

HEIGHT, WIDTH = 60, 80
LEFT_OUT = {Action.UNDO, Action.REDO, Action.STEP_BACK, Action.PAUSE, Action.SEARCH, Action.GO_TO}
"""Keys that the test presses itself, or after which the keyboard is elsewhere."""

FEWEST_CLASSES, MOST_CLASSES = 3, 7


class RandomPerson:
    """Presses keys and buttons at random and takes down the state after every event that can be undone.

    Parameters
    ----------
    controller : AnnotateController
    canvas : anything with `transform`
    emit : callable
        ``emit(signal, *arguments)``: what the dock would emit.
    clock : callable
        Nanoseconds of the next input.
    """

    def __init__(
        self, controller: Any, canvas: Any, emit: Callable[..., None], clock: Callable[[], int], seed: int
    ) -> None:
        self.controller, self.canvas, self.emit, self.clock = controller, canvas, emit, clock
        self.draw = random.Random(seed)
        self.project: Project = controller.project
        self.states: list[str | None] = [self.project.projection_hash()]
        """State before anything, and after each event that stands; None within a step that wrote several."""
        self.undone: list[str | None] = []
        self.kinds: set[str] = set()
        self._seq = max((event.seq for event in self.project.events()), default=0)
        self._keys = [
            key
            for key, name in DEFAULT_KEYS.as_log().items()
            if Action(name) not in LEFT_OUT and not key.startswith(("Ctrl", "Alt"))
        ]

    # what a hand does -----------------------------------------------------------------------------------------------

    def key(self, text: str) -> None:
        digit, action = None, DEFAULT_KEYS.action(text)
        if action is None:
            digit = int(text[-1])
            action = digit_action(digit, shift=text.startswith("Shift"))
        self.controller.sitting.on_key(KeyInput(action, self.clock(), digit, text))
        if action in (Action.HIDE, Action.PAN):
            self.controller.sitting.on_key(KeyInput(action, self.clock(), digit, text, released=True))
        if self.controller.session.key_sheet:
            self.key("Escape")

    def _at(self, x: float, y: float) -> PointerInput:
        row, column = index_to_napari((x, y)).tolist()
        x, y = self.canvas.transform().to_canvas(row, column)
        return PointerInput(x, y, self.clock())

    def drag(self, *places: tuple[float, float]) -> None:
        self.controller.sitting.on_press(self._at(*places[0]))
        for place in places[1:]:
            self.controller.sitting.on_drag(self._at(*place))
        self.controller.sitting.on_release(self._at(*places[-1]))

    def place(self) -> tuple[int, int]:
        return self.draw.randrange(WIDTH), self.draw.randrange(HEIGHT)

    def known_place(self) -> tuple[float, float]:
        """Where something lies, if there is anything."""
        annotations = self.controller.session.annotations
        places: list[tuple[float, float]] = []
        if annotations is not None:
            places = [(click.x, click.y) for click in annotations.clicks]
            places += [(box.box.xyxy[0], box.box.xyxy[1]) for box in annotations.boxes]
        return self.draw.choice(places) if places else self.place()

    # what it may do next --------------------------------------------------------------------------------------------

    def act(self) -> None:
        """One action."""
        kinds: list[tuple[int, Callable[[], object]]] = [
            (20, lambda: self.key(self.draw.choice("FJU"))),
            (16, lambda: self.drag(self.place())),
            (8, self._box),
            (5, self._stroke),
            (6, lambda: self.drag(self.known_place())),
            (5, self._delete_under_the_pointer),
            (6, lambda: self.key(str(self.draw.randint(1, 5)))),
            (4, lambda: self.key(f"Shift+{self.draw.randint(1, 5)}")),
            (8, lambda: self.key(self.draw.choice(self._keys))),
            (4, lambda: self.key("R")),
            (3, lambda: self.key("D")),
            (4, self._other_mode),
            (4, lambda: self.emit("row_chosen", self.draw.randrange(3))),
            (6, self._change_classes),
            (4, lambda: self.key("Ctrl+Z")),
            (2, lambda: self.key("Ctrl+Shift+Z")),
        ]
        self.draw.choices([act for _, act in kinds], [weight for weight, _ in kinds])[0]()
        self.note()

    def _box(self) -> None:
        (x, y), (width, height) = self.place(), (self.draw.randint(6, 30), self.draw.randint(6, 30))
        x, y = min(x, WIDTH - 8), min(y, HEIGHT - 8)
        self.key("W")
        self.drag((x, y), (x + width / 2, y + height / 2), (min(x + width, WIDTH - 1), min(y + height, HEIGHT - 1)))

    def _stroke(self) -> None:
        self.drag(*(self.place() for _ in range(self.draw.randint(2, 5))))

    def _delete_under_the_pointer(self) -> None:
        self.controller.sitting.on_hover(self._at(*self.known_place()))
        self.key("Delete")

    def _other_mode(self) -> None:
        keys = {"single_point": "Q", "box_points": "W", "multi_point": "T", "mask": "M", "review": "E"}
        self.key(self.draw.choice([keys[mode.name] for mode in MODES if mode.name in keys]))

    def _change_classes(self) -> None:
        ids = [category.id for category in self.controller.session.categories]
        chosen, other = self.draw.choice(ids), self.draw.choice(ids)
        what = self.draw.randrange(7)
        if what == 0 and len(ids) < MOST_CLASSES:
            self.emit("category_added", f"class {self.draw.randrange(10**9)}", self.draw.random() < 0.6)
        elif what == 1:
            self.emit("category_renamed", chosen, f"name {self.draw.randrange(10**9)}")
        elif what == 2:
            self.emit("category_color_chosen", chosen, tuple(self.draw.randrange(256) for _ in range(3)))
        elif what == 3:
            self.emit("categories_reordered", self.draw.sample(ids, len(ids)))
        elif what == 4:
            self.emit("category_kind_chosen", chosen, self.draw.random() < 0.5)
            self.emit("class_answered", "change")
        elif what == 5 and len(ids) > FEWEST_CLASSES and chosen != other:
            self.emit("category_merge_wanted", chosen)
            self.emit("category_picked", other)
            self.emit("class_answered", "merge")
        elif what == 6 and len(ids) > FEWEST_CLASSES:
            self.emit("category_delete_wanted", chosen)
            self.emit("class_answered", "delete")

    # and what came of it --------------------------------------------------------------------------------------------

    def note(self) -> None:
        """Take down what the journal has got since."""
        news = list(self.project.events(after_seq=self._seq))
        self._seq = news[-1].seq if news else self._seq
        turns = [event for event in news if event.kind in ANNOTATING or event.kind in ("undo", "redo")]
        for event in turns:
            self.kinds.add(event.kind)
            if event.kind == "undo":
                self.undone.append(self.states.pop())
            elif event.kind == "redo":
                self.states.append(self.undone.pop())
            else:
                self.undone.clear()
                self.states.append(None)
        if turns:
            now = self.project.projection_hash()
            if self.states[-1] is None:
                self.states[-1] = now
            assert self.states[-1] == now, f"the state after {turns[-1].kind} is not the one that was there before"

    @property
    def steps(self) -> int:
        """Events that can be undone now."""
        return len(self.states) - 1


def _there_and_back(person: RandomPerson, steps: int) -> None:
    """So many events, as many undos, as many redos; every state on the way is the one that was there before."""
    project = person.project
    while person.steps < steps:
        person.act()
    start, end = person.states[0], person.states[-1]
    assert len(set(person.states)) > steps // 2, "most events must change something"
    for left in range(steps - 1, -1, -1):
        person.key("Ctrl+Z")
        person.note()
        assert person.steps == left
    assert not project.can_undo
    assert project.projection_hash() == start
    person.key("Ctrl+Z")
    person.note()
    assert person.steps == 0
    for done in range(1, steps + 1):
        person.key("Ctrl+Shift+Z")
        person.note()
        assert person.steps == done
    assert not project.can_redo
    assert project.projection_hash() == end
    _shows_what_is_there(person)
    project.rebuild()
    assert project.projection_hash() == end, "the tables are not what the events say"


def _shows_what_is_there(person: RandomPerson) -> None:
    """The window and the project agree about the image that is shown."""
    person.key("Q")
    session = person.controller.session
    there, shown = person.project.annotations(session.image.id), session.annotations
    assert [category.name for category in session.categories] == [one.name for one in person.project.categories()]
    assert shown.clicks == there.clicks
    assert [(box.uid, box.category_id, box.answers) for box in shown.boxes] == [
        (box.uid, box.category_id, box.answers) for box in there.boxes
    ]


def _without_a_window(desktop: Any, seed: int) -> RandomPerson:
    def emit(signal: str, *arguments: Any) -> None:
        for call in getattr(desktop.view, signal).connect.call_args_list:
            call.args[0](*arguments)

    return RandomPerson(desktop.controller, desktop.canvas, emit, desktop.person.tick, seed)


@pytest.mark.parametrize("seed", range(3))
def test_sixty_actions_there_and_back(desktop: Any, seed: int) -> None:
    _there_and_back(_without_a_window(desktop, seed), 60)


SEEDS = [int(seed) for seed in os.environ.get("POINTANNO_ACTION_SEEDS", "10").split()]
"""Of the long runs; others by the environment."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_five_hundred_actions_there_and_back(desktop: Any, seed: int) -> None:
    person = _without_a_window(desktop, seed)
    _there_and_back(person, 500)
    common = {"click", "box", "answer", "delete", "reclass", "move", "resample", "complete", "absent", "undo", "redo"}
    classes = {"category_added", "category_changed", "categories_reordered", "categories_merged", "category_deleted"}
    assert common | classes <= person.kinds


@pytest.fixture
def bench(project: Project, make_napari_viewer: Callable[..., Any]) -> Iterator[Any]:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1200, 800)
    yield open_docks(viewer)
    workbench(viewer).abandon()


def _in_a_window(bench: Any, project: Project, seed: int) -> RandomPerson:
    bench.annotate.start(project)
    view: Any = bench.annotate.view

    def emit(signal: str, *arguments: Any) -> None:
        getattr(view, signal).emit(*arguments)

    return RandomPerson(bench.annotate, bench.annotate._canvas, emit, now_ns, seed)


@pytest.mark.gui
def test_sixty_actions_in_a_window(bench: Any, project: Project) -> None:
    _there_and_back(_in_a_window(bench, project, 20), 60)


@pytest.mark.gui
@pytest.mark.slow
def test_five_hundred_actions_in_a_window(bench: Any, project: Project) -> None:
    _there_and_back(_in_a_window(bench, project, 21), 500)
