"""A small project, a view that only listens, and a canvas without a window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
from napari.components import ViewerModel
from PIL import Image

from napari_pointanno import preferences
from napari_pointanno._controllers.annotate import AnnotateController
from napari_pointanno._views.annotate_view import AnnotateView
from napari_pointanno._views.canvas_view import CanvasView
from napari_pointanno.canvas import InputHandler
from napari_pointanno.drawing import Drawing
from napari_pointanno.key_choice import DEFAULT_KEYS
from napari_pointanno.keymap import Action, KeyInput, KeyMap, PointerInput, digit_action
from napari_pointanno.singleton_guard import guard_singletons
from napari_pointanno.view_transform import ViewTransform
from pointanno.coords import index_to_napari
from pointanno.dataset import Category
from pointanno.project import Event, Project

guard_singletons()  # before any window of any test


@pytest.fixture(autouse=True)
def no_preferences(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody's own keys and preferences in tests."""
    monkeypatch.setattr(preferences, "_plugin_settings", lambda: None)
    monkeypatch.setattr(preferences, "file_path", lambda: tmp_path / "config" / "preferences.toml")


CATEGORIES = (
    Category(1, "car", True, color=(230, 159, 0)),
    Category(2, "person", True),
    Category(3, "road", False),
    Category(4, "sky", False),
)
HEIGHT, WIDTH = 60, 80


class FakeCanvas(CanvasView):
    """Shows everything at once, or when it is told to (`hold`); is idle at once, or never (`busy`)."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self.handler: InputHandler | None = None
        self.keymap = DEFAULT_KEYS
        self.drawing = Drawing()
        self.hidden = False
        self.hold = False
        self.waiting: list[Callable[[int, bool], None]] = []
        self.busy = False
        self.idle: Callable[[], None] | None = None
        self.shown_ns = 0
        self.focused = 0
        self.repaints = 0
        self.soon_to_come: list[Callable[[], None]] = []
        self.modal = ""

    def start(self, handler: InputHandler, keymap: KeyMap = DEFAULT_KEYS) -> None:
        self.handler, self.keymap = handler, keymap

    def set_keymap(self, keymap: KeyMap) -> None:
        self.keymap = keymap

    def stop(self) -> None:
        self.handler = None

    def draw(self, drawing: Drawing) -> None:
        self.drawing = drawing

    def set_hidden(self, hidden: bool) -> None:
        self.hidden = hidden

    def when_shown(self, callback: Callable[[int, bool], None], *, picture: bool = True) -> None:
        if self.hold:
            self.waiting.append(callback)
        else:
            callback(self.shown_ns, True)

    def release(self, at_ns: int) -> None:
        """Show what waits."""
        waiting, self.waiting = self.waiting, []
        for callback in waiting:
            callback(at_ns, True)

    def after_frame(self, callback: Callable[[], None]) -> None:
        callback()

    def when_idle(self, callback: Callable[[], None]) -> None:
        if self.busy:
            self.idle = callback
        else:
            callback()

    def soon(self, callback: Callable[[], None]) -> None:
        self.soon_to_come.append(callback)

    def settle(self) -> None:
        """Call what was to be called soon."""
        waiting, self.soon_to_come = self.soon_to_come, []
        for callback in waiting:
            callback()

    def view_changed(self) -> None:
        self.repaints += 1

    def forget_shown(self) -> None:
        self.waiting.clear()

    def transform(self) -> ViewTransform:
        return ViewTransform.of_viewer(self._viewer, (600.0, 800.0))

    def take_focus(self) -> None:
        self.focused += 1

    def has_focus(self) -> bool:
        return True

    def modal_dialog(self) -> str:
        return self.modal

    def screen(self) -> dict[str, Any]:
        return {"qt": "none"}


class Person:
    """Presses keys and buttons at pixel positions of the image; one second passes with each."""

    def __init__(self, canvas: FakeCanvas) -> None:
        self._canvas = canvas
        self.now_ns = 0

    @property
    def _handler(self) -> InputHandler:
        assert self._canvas.handler is not None, "no session runs"
        return self._canvas.handler

    def tick(self, ms: int = 1000) -> int:
        self.now_ns += ms * 1_000_000
        self._canvas.shown_ns = self.now_ns
        return self.now_ns

    def key(self, text: str, *, released: bool = False) -> None:
        digit = None
        action = self._canvas.keymap.action(text)
        if action is None:
            digit = int(text[-1])
            action = digit_action(digit, shift=text.startswith("Shift"))
        self._handler.on_key(KeyInput(action, self.tick(), digit, text, released))

    def _at(self, x: float, y: float) -> PointerInput:
        row, column = index_to_napari((x, y)).tolist()
        return PointerInput(*self._canvas.transform().to_canvas(row, column), self.tick())

    def press(self, x: float, y: float) -> None:
        self._handler.on_press(self._at(x, y))

    def move(self, x: float, y: float) -> None:
        self._handler.on_drag(self._at(x, y))

    def release(self, x: float, y: float) -> None:
        self._handler.on_release(self._at(x, y))

    def click(self, x: float, y: float) -> None:
        self.press(x, y)
        self.release(x, y)

    def drag(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.press(x0, y0)
        self.move((x0 + x1) / 2, (y0 + y1) / 2)
        self.release(x1, y1)


class Desktop:
    """A session without a window, and what a test wants to know of it."""

    def __init__(self, project: Project) -> None:
        self.viewer = ViewerModel()
        self.view: Any = MagicMock(spec=AnnotateView)
        self.canvas = FakeCanvas(self.viewer)
        self.controller = AnnotateController(self.viewer, self.view)
        self.controller.attach_canvas(self.canvas)
        self.controller.start(project)
        self.project = project
        self.person = Person(self.canvas)

    @property
    def session(self) -> Any:
        session = self.controller.session
        assert session is not None
        return session

    def events(self, *kinds: str) -> list[Event]:
        return [event for event in self.project.events() if event.kind in kinds]

    def notified(self) -> list[str]:
        return [call.args[0] for call in self.view.notify.call_args_list]


@pytest.fixture
def images_folder(tmp_path: Path) -> Path:
    """Three pictures: colour, 16-bit grey, colour."""
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("a", "c"):
        Image.fromarray(rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)).save(folder / f"{name}.png")
    Image.fromarray(rng.integers(100, 4000, (HEIGHT, WIDTH), dtype=np.uint16)).save(folder / "b.png")
    return folder


@pytest.fixture
def project(tmp_path: Path, images_folder: Path) -> Iterator[Project]:
    """Closed by the session that a test starts on it, else here."""
    made = Project.create(tmp_path / "set", images=images_folder, categories=CATEGORIES, points_per_box=3)
    yield made
    made.close()


@pytest.fixture
def make_desktop() -> Iterator[Callable[[Project], Desktop]]:
    """A session on a project that a test has prepared."""
    made: list[Desktop] = []

    def make(project: Project) -> Desktop:
        made.append(Desktop(project))
        return made[-1]

    yield make
    for one in made:
        one.controller.close()


@pytest.fixture
def desktop(project: Project) -> Iterator[Desktop]:
    made = Desktop(project)
    yield made
    made.controller.close()


@pytest.fixture
def begin() -> Iterator[Callable[[Project], Desktop]]:
    """Begin a session on a project, after something was done to its files."""
    made: list[Desktop] = []

    def start(project: Project) -> Desktop:
        made.append(Desktop(project))
        return made[-1]

    yield start
    for one in made:
        one.controller.close()


@pytest.fixture
def reopened() -> Iterator[Callable[[Desktop], Desktop]]:
    """Close a session and begin another one on the same project."""
    made: list[Desktop] = []

    def reopen(before: Desktop) -> Desktop:
        before.controller.close()
        made.append(Desktop(Project.open(before.project.path)))
        return made[-1]

    yield reopen
    for one in made:
        one.controller.close()


__all__ = ["Action"]
