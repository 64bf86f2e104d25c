"""The docks for people who listen to the screen, or need large letters."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QScrollBar,
    QWidget,
)

from napari_pointanno._models.study_digest import Answers, Learner, Stretch, StudyDigest
from napari_pointanno._models.tables import Table
from napari_pointanno._views.annotate_view import Choice, ClassQuestion
from napari_pointanno.application import open_docks
from napari_pointanno.workbench import Workbench, workbench
from pointanno.project import Project

pytestmark = pytest.mark.gui

CONTROLS = (
    QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit,
    QProgressBar,
)  # fmt: skip
TYPED = (QLineEdit, QComboBox, QAbstractSpinBox, QPlainTextEdit)
"""Controls that may take the keyboard, by Tab or a click; never by the wheel, which scrolls the dock."""


DIGEST = StudyDigest(
    timed=True,
    claim_ms=33.0,
    numbers=(("10 min 58 s", "work"), ("1 min 28 s", "idle (no input for 10 s)"), ("1 min 30 s", "excluded")),
    tables={"times": Table(("", "n", "median (95 %)"), (("answers, box_points", "233", "0.81 s (0.77-0.87)"),))},
    sentences={"left": ("2 images that are not complete by box_points: about 1 min 57 s",)},
    edges_s=(0.0, 1.0, 2.0),
    answers={"object": Answers(2, (0.5, 1.5), (0.5, 1.0), (1, 1), 1.0)},
    learned="answer",
    learners={"anon-1": Learner(2, (1, 2), (0.5, 1.5), 1, (2,))},
    sessions=("anon-1 11-20 18:03",),
    stretches=(Stretch(0, 0.0, 2.0, "work"), Stretch(0, 2.0, 3.0, "idle")),
)
"""A report with something everywhere."""


@pytest.fixture
def bench(project: Project, make_napari_viewer: Callable[..., Any]) -> Iterator[Workbench]:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1300, 860)
    made = open_docks(viewer)
    made.annotate.start(project)
    yield made
    workbench(viewer).abandon()


def _docks(bench: Workbench) -> dict[str, QWidget]:
    widgets = {"annotate": bench.annotate_widget(), "train": bench.train_widget(), "study": bench.study_widget()}
    return widgets


def _is_inner(widget: QWidget) -> bool:
    """A part that Qt makes within a control of ours."""
    parent = widget.parent()
    return (
        isinstance(widget, (QScrollBar, QHeaderView))
        or widget.objectName().startswith("qt_")
        or isinstance(parent, (QAbstractSpinBox, QComboBox, QLineEdit))
        or type(widget).__name__ in ("QTableCornerButton", "QComboBoxListView")
    )


def controls(dock: QWidget) -> list[QWidget]:
    """Everything in a dock that can be operated or filled, shown or not."""
    found = [widget for widget in dock.findChildren(QWidget) if isinstance(widget, CONTROLS) and not _is_inner(widget)]
    return [widget for widget in found if not any(isinstance(parent, QComboBox) for parent in _parents(widget))]


def _parents(widget: QWidget) -> Iterator[Any]:
    parent = widget.parent()
    while parent is not None:
        yield parent
        parent = parent.parent()


def _name(widget: QWidget) -> str:
    return f"{type(widget).__name__} {widget.objectName() or '(no name)'}"


def _ask(bench: Workbench) -> None:
    """A question whose answers are controls too."""
    choices = (Choice("a", "Delete it with its annotations"), Choice("b", "green", (0, 90, 0)), Choice("", "Cancel"))
    bench.annotate.view.ask_about_class(ClassQuestion("34 clicks would be deleted.", choices))


@pytest.mark.parametrize("name", ["annotate", "train", "study"])
def test_every_control_has_words(bench: Workbench, name: str) -> None:
    _ask(bench)
    found = controls(_docks(bench)[name])
    assert len(found) > (9 if name == "study" else 15)
    nameless = []
    for widget in found:
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        has_letters = any(letter.isalpha() for letter in text)
        # an empty name is filled in when the control has something to say
        if not widget.objectName() or not (widget.accessibleName() or has_letters):
            nameless.append(_name(widget))
    assert not nameless, "\n".join(nameless)


@pytest.mark.parametrize("name", ["annotate", "train", "study"])
def test_every_control_has_a_tool_tip(bench: Workbench, name: str) -> None:
    _ask(bench)
    quiet = [
        _name(widget)
        for widget in controls(_docks(bench)[name])
        if not widget.toolTip() and not isinstance(widget, (QAbstractItemView, QProgressBar))
    ]
    assert not quiet, "\n".join(quiet)


@pytest.mark.parametrize("name", ["annotate", "train", "study"])
def test_only_what_is_typed_into_takes_the_keyboard(bench: Workbench, name: str) -> None:
    _ask(bench)
    wrong = []
    for widget in controls(_docks(bench)[name]):
        policy = widget.focusPolicy()
        allowed = (
            (Qt.FocusPolicy.NoFocus, Qt.FocusPolicy.ClickFocus, Qt.FocusPolicy.StrongFocus)
            if isinstance(widget, TYPED)
            else (Qt.FocusPolicy.NoFocus,)
        )
        if policy not in allowed:
            wrong.append(f"{_name(widget)}: {policy.name}")
    assert not wrong, "\n".join(wrong)


def cut(widget: QWidget) -> str:
    """How a label or button has too little room for its text; "" if it has enough."""
    hint = widget.sizeHint()
    if isinstance(widget, QLabel):
        if not widget.text() or not widget.pixmap().isNull():
            return ""
        if widget.wordWrap():
            needed = widget.heightForWidth(widget.width())
            return "" if needed <= widget.height() + 1 else f"{needed} px high, has {widget.height()}"
    if isinstance(widget, QAbstractButton) and not widget.text():
        return ""
    wide = hint.width() if isinstance(widget, (QLabel, QAbstractButton)) else 0
    if wide <= widget.width() + 1 and hint.height() <= widget.height() + 1:
        return ""
    return f"needs {hint.width()} x {hint.height()}, has {widget.width()} x {widget.height()}"


@pytest.mark.parametrize("name", ["annotate", "train", "study"])
@pytest.mark.parametrize("points", [9, 18])
def test_no_text_is_cut(qtbot: Any, bench: Workbench, name: str, points: int, request: pytest.FixtureRequest) -> None:
    from napari.settings import get_settings

    from napari_pointanno.application import ANNOTATE, PLUGIN, STUDY, TRAIN

    app, settings = QApplication.instance(), get_settings()
    assert isinstance(app, QApplication)
    before, size_before = app.font(), settings.appearance.font_size
    font = app.font()
    font.setPointSize(points)
    app.setFont(font)
    settings.appearance.font_size = points
    try:
        viewer = bench.viewer
        frame, _ = viewer.window.add_plugin_dock_widget(
            PLUGIN, {"annotate": ANNOTATE, "train": TRAIN, "study": STUDY}[name]
        )
        frame.show()
        frame.raise_()
        if name == "annotate":
            _ask(bench)
        if name == "study":
            bench.study_report.view.show_digest(DIGEST)
        dock = _docks(bench)[name]
        qtbot.waitUntil(lambda: not dock.visibleRegion().isEmpty())
        for _ in range(5):
            app.processEvents()
        kinds = (QLabel, QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox)
        widgets = [w for w in dock.findChildren(QWidget) if isinstance(w, kinds) and not _is_inner(w) and w.isVisible()]
        assert len(widgets) > 12
        folder = os.environ.get("POINTANNO_SHOTS")
        if folder:
            window = viewer.window._qt_window
            window.grab().save(str(Path(folder) / f"{name}_{points}pt.png"))
        bad = [f"{_name(widget)}: {cut(widget)}" for widget in widgets if cut(widget)]
        assert not bad, "\n".join(bad)
        spill = [
            _name(widget) for widget in widgets if widget.mapTo(dock, widget.rect().bottomRight()).x() > dock.width()
        ]
        assert not spill, "\n".join(spill)
        screen = viewer.window._qt_window.screen().availableGeometry()
        assert viewer.window._qt_window.height() <= screen.height(), "what has no room below must scroll"
    finally:
        app.setFont(before)
        settings.appearance.font_size = size_before
