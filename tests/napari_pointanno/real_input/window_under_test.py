"""The real window in a process of its own, which also writes down where things are.

``python window_under_test.py STATE.json [PROJECT]``. It only looks: every input comes from outside.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from qtpy.QtCore import QPoint, QTimer
from qtpy.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget

from napari_pointanno.napari_versions import camera_of
from napari_pointanno.overlay import CanvasOverlay


def _rectangle(widget: QWidget) -> list[int]:
    corner = widget.mapToGlobal(QPoint(0, 0))
    return [corner.x(), corner.y(), widget.width(), widget.height()]


def _words(window: QWidget) -> dict[str, str]:
    """What stands over the picture."""
    overlay = window.findChild(CanvasOverlay)
    if overlay is None:
        return {"headline": "", "hint": "", "question": ""}
    drawing = overlay.drawing
    question = "" if drawing.question is None else drawing.question.text
    return {"headline": drawing.headline, "hint": drawing.hint, "question": question}


def _state(viewer: Any) -> dict[str, Any]:
    from napari_pointanno._views.qt_canvas_view import find_canvas
    from napari_pointanno.workbench import workbench

    bench = workbench(viewer)
    window = bench.annotate_widget().window()
    names = {
        widget.objectName(): _rectangle(widget)
        for widget in window.findChildren(QWidget)
        if widget.objectName().startswith("pointanno_") and widget.isVisible()
    }
    labels = {label.objectName(): label.text() for label in window.findChildren(QLabel)}
    buttons = {button.objectName(): button.text() for button in window.findChildren(QAbstractButton)}
    focus = QApplication.focusWidget()
    canvas = find_canvas(bench.annotate_widget())
    camera = camera_of(viewer)
    state: dict[str, Any] = {
        "widgets": names,
        "texts": {name: text for name, text in labels.items() if name in names},
        "buttons": {name: text for name, text in buttons.items() if name in names},
        "drawing": _words(window),
        "canvas": _rectangle(canvas) if canvas is not None else None,
        "center": list(camera.center[-2:]),
        "zoom": camera.zoom,
        "focus": "canvas" if focus is canvas and canvas is not None else focus.objectName() if focus else "",
        "active": window.isActiveWindow(),
        "torch": "torch" in sys.modules,
        "layers": {layer.name: len(layer.data) for layer in viewer.layers},
        "preview": bench.preview.on,
        "run": None if bench.train.run is None else str(bench.train.run.path),
        "session": None,
    }
    session = bench.annotate.session
    if session is not None and session.image is not None and session.annotations is not None:
        state["session"] = {
            "project": str(session.project.path),
            "mode": session.mode,
            "row": session.row,
            "file": session.image.file_name,
            "size": [session.image.height, session.image.width],
            "classes": [category.name for category in session.categories],
            "category": session.category_id,
            "asked": None if session.asked is None else [session.asked.box_uid, session.asked.index],
            "clicks": len(session.annotations.clicks),
            "boxes": len(session.annotations.boxes),
            "answers": sum(answer is not None for box in session.annotations.boxes for answer in box.answers),
            "drag": session.drag is not None and session.drag.distance > 4,
            "shown": session.watch.running,
        }
    return state


def main() -> None:
    """Open the window and write its state twenty times a second."""
    import napari

    from napari_pointanno.application import open_window

    file = Path(sys.argv[1])
    viewer = open_window(Path(sys.argv[2]) if len(sys.argv) > 2 else None)

    def write() -> None:
        temporary = file.with_suffix(".tmp")
        temporary.write_text(json.dumps(_state(viewer)))
        os.replace(temporary, file)

    timer = QTimer()
    timer.timeout.connect(write)
    timer.start(50)
    napari.run()


if __name__ == "__main__":
    main()
