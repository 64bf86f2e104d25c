"""How images are annotated: a line in the dock that unfolds into a form."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_pointanno._models.plan import ALL, EVERYTHING, LISTED, PLANNED, SET, PlanState, PlanWish, words_of
from napari_pointanno._models.session import BOX_POINTS, MASK, MODE_TITLES, MULTI_POINT
from napari_pointanno._views.qt_folding import Folding
from napari_pointanno._views.qt_line_edit import LineEdit

TITLE = "How these images are annotated"

DRAWINGS = {"drag": "corner to corner", "extreme": "extreme points", "none": "given boxes only"}
ORDERS = {"image": "as they come", "class": "class by class", "shuffled": "shuffled"}

MOST_POINTS = 1000


class PlanForm(Folding):
    """Protocol, its options, and which images; nothing happens before the button."""

    submitted = Signal(object)
    """A `PlanWish`."""
    left = Signal()

    def __init__(self) -> None:
        super().__init__(TITLE, "plan")
        self.head.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # long words widen no dock
        self._state = PlanState()
        self.protocol = _choice("plan_protocol", "Way of annotating", {one: MODE_TITLES[one] for one in PLANNED})
        self.per_target = _number("plan_per_target", "Clicks on each object and region")
        self.per_box = _number("plan_per_box", "Points that are asked in each box")
        self.draw = _choice("plan_draw", "How boxes come about", DRAWINGS)
        self.order = _choice("plan_order", "Order in which boxes are asked about", ORDERS)
        self.overlap = QCheckBox("objects may overlap")
        self.overlap.setObjectName("pointanno_plan_overlap")
        self.overlap.setToolTip("Otherwise what is painted spares the masks that are there")
        self.overlap.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.images = _choice("plan_images", "Which images", {ALL: "all images", LISTED: "listed", SET: "a set"})
        self.sets = _choice("plan_sets", "Image set", {})
        self.name = LineEdit()
        self.name.setObjectName("pointanno_plan_name")
        self.name.setAccessibleName("Name of the image set")
        self.name.setToolTip("Name of the set that these images make")
        self.name.setPlaceholderText("name of the set")
        self.apply = QPushButton("Annotate them so")
        self.apply.setObjectName("pointanno_plan_apply")
        self.apply.setToolTip("From now on these images open in this way of annotating; it can be undone")
        self.apply.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list = QLabel("")
        self.list.setObjectName("pointanno_plan_list")
        self.list.setAccessibleName("Image sets of the project")
        self.list.setWordWrap(True)
        self._form = form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        for text, widget in (
            ("By", self.protocol),
            ("Clicks each", self.per_target),
            ("Points each", self.per_box),
            ("Boxes", self.draw),
            ("Order", self.order),
            ("", self.overlap),
            ("For", self.images),
            ("Set", self.sets),
            ("Name", self.name),
            ("", self.apply),
        ):
            form.addRow(text, widget)
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addLayout(form)
        column.addWidget(self.list)
        self.set_layout(column)
        for choice in (self.protocol, self.images, self.sets):
            choice.currentIndexChanged.connect(self._choose)
        for choice in (self.draw, self.order):
            choice.activated.connect(lambda _: self.left.emit())
        for number in (self.per_target, self.per_box):
            number.editingFinished.connect(self.left)
        self.name.returnPressed.connect(self._submit)
        self.name.escaped.connect(self.left)
        self.apply.clicked.connect(self._submit)
        self.show_plan(self._state)

    def show_plan(self, state: PlanState) -> None:
        """Show the sets of the project, and begin the form with that of the image."""
        before, self._state = self._state, state
        current = state.current_set
        said = "not planned" if current is None else words_of(current.protocol, current.options)
        self.head.setText(f"Plan: {said}")
        self.head.setToolTip(f"{TITLE}: show or hide" if current is None else f"image set {current.name!r}")
        self.list.setText(
            "\n".join(f"{one.name}: {words_of(one.protocol, one.options)} ({one.images:,})" for one in state.sets)
        )
        self.list.setVisible(bool(state.sets))
        self.images.setItemText(0, f"all {state.total:,} images")
        self.images.setItemText(1, f"the {state.listed:,} listed images")
        names = [one.name for one in state.sets]
        if names != [self.sets.itemData(row) for row in range(self.sets.count())]:
            self.sets.blockSignals(True)
            self.sets.clear()
            for name in names:
                self.sets.addItem(name, name)
            self.sets.blockSignals(False)
        if current is not None and (current != before.current_set or not self.body.isVisible()):
            self._fill(current.protocol, {**state.defaults, **current.options})
        elif current is None and not before.defaults:
            self._fill(self.protocol.currentData(), dict(state.defaults))
        self._choose()

    def wish(self) -> PlanWish:
        """What the form says."""
        protocol, images = str(self.protocol.currentData()), str(self.images.currentData())
        options: dict[str, Any] = {}
        if protocol == MULTI_POINT:
            options["points_per_target"] = self.per_target.value()
        elif protocol == BOX_POINTS:
            options = {
                "points_per_box": self.per_box.value(),
                "draw": str(self.draw.currentData()),
                "order": str(self.order.currentData()),
            }
        elif protocol == MASK:
            options["exclusive"] = not self.overlap.isChecked()
        if images == SET:
            name = str(self.sets.currentData() or "")
        elif images == ALL:
            name = EVERYTHING
        else:
            name = self.name.text().strip()
        return PlanWish(name, protocol, options, images)

    def _fill(self, protocol: str, options: dict[str, Any]) -> None:
        self.protocol.setCurrentIndex(max(self.protocol.findData(protocol), 0))
        self.per_target.setValue(int(options.get("points_per_target", 10)))
        self.per_box.setValue(int(options.get("points_per_box", 10)))
        self.draw.setCurrentIndex(max(self.draw.findData(options.get("draw", "drag")), 0))
        self.order.setCurrentIndex(max(self.order.findData(options.get("order", "image")), 0))
        self.overlap.setChecked(options.get("exclusive") is False)

    def _choose(self) -> None:
        """Show the lines that belong to what is chosen."""
        protocol, images = self.protocol.currentData(), self.images.currentData()
        for widget, is_there in (
            (self.per_target, protocol == MULTI_POINT),
            (self.per_box, protocol == BOX_POINTS),
            (self.draw, protocol == BOX_POINTS),
            (self.order, protocol == BOX_POINTS),
            (self.overlap, protocol == MASK),
            (self.sets, images == SET),
            (self.name, images == LISTED),
        ):
            _show_row(self._form, widget, is_there)

    def _submit(self) -> None:
        wish = self.wish()
        if wish.images == LISTED and not wish.name:
            self.name.setFocus()
            return
        self.submitted.emit(wish)
        self.left.emit()


def _show_row(form: QFormLayout, widget: QWidget, is_there: bool) -> None:
    label = form.labelForField(widget)
    if label is not None:
        label.setVisible(is_there)
    widget.setVisible(is_there)


def _choice(name: str, says: str, choices: dict[str, str]) -> QComboBox:
    box = QComboBox()
    box.setObjectName(f"pointanno_{name}")
    box.setAccessibleName(says)
    box.setToolTip(says)
    box.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    for data, text in choices.items():
        box.addItem(text, data)
    return box


def _number(name: str, says: str) -> QSpinBox:
    box = QSpinBox()
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # not by the wheel, which scrolls the dock
    box.setObjectName(f"pointanno_{name}")
    box.setAccessibleName(says)
    box.setToolTip(says)
    box.setRange(1, MOST_POINTS)
    box.setValue(10)
    return box
