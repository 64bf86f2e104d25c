"""The form that starts a training: three fields, and more for who wants more."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_pointanno._models.machine_words import DeviceChoice
from napari_pointanno._views.qt_annotate_view import _button
from napari_pointanno._views.qt_folding import Folding
from napari_pointanno._views.train_view import SystemChoice, TrainForm

FIRST_OF_SYSTEM = "as the system learns"


def combo(name: str, spoken: str) -> QComboBox:
    """A menu that may be narrow; it takes the keyboard only by a click."""
    box = QComboBox()
    box.setObjectName(f"pointanno_{name}")
    box.setAccessibleName(spoken)
    box.setToolTip(spoken)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
    return box


def number(name: str, spoken: str, most: int, *, step: int = 1, special: str = "") -> QSpinBox:
    """A number from 0 on, which may stand for a word."""
    box = QSpinBox()
    box.setObjectName(f"pointanno_{name}")
    box.setAccessibleName(spoken)
    box.setToolTip(f"{spoken}; 0: {special}" if special else spoken)
    box.setRange(0, most)
    box.setSingleStep(step)
    box.setSpecialValueText(special)
    box.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
    return box


class PathLine(QWidget):
    """A line for a path, and a button that finds it."""

    def __init__(self, name: str, spoken: str, *, folder: bool) -> None:
        super().__init__()
        self._folder, self._spoken = folder, spoken
        self.line = QLineEdit()
        self.line.setObjectName(f"pointanno_{name}")
        self.line.setAccessibleName(spoken)
        self.line.setToolTip(f"Path of the {spoken}")
        self.line.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        find = _button("…", f"{name}_find", f"Find {spoken}")
        find.setAccessibleName(f"Find {spoken}")
        find.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3)
        row.addWidget(self.line, 1)
        row.addWidget(find)
        find.clicked.connect(self._find)

    def text(self) -> str:
        """The path, without blanks and quotes around it."""
        return self.line.text().strip().strip("\"'")

    def _find(self) -> None:
        if self._folder:
            chosen = QFileDialog.getExistingDirectory(self, self._spoken, self.text())
        else:
            chosen, _ = QFileDialog.getOpenFileName(self, self._spoken, self.text(), "JSON (*.json)")
        if chosen:
            self.line.setText(chosen)


class FormPanel(QWidget):
    """System, recipe, device; below *Advanced* everything else that `pointanno train` knows."""

    def __init__(self) -> None:
        super().__init__()
        self._systems: list[SystemChoice] = []
        self._devices: list[DeviceChoice] = []
        self.system = combo("system", "Training system")
        self.recipe = combo("recipe", "Recipe")
        self.device = combo("device", "Device")
        form = _form()
        form.addRow("System", self.system)
        form.addRow("Recipe", self.recipe)
        form.addRow("Device", self.device)
        self.advanced = Folding("Advanced", "advanced")
        self.advanced.set_layout(self._build_advanced())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(form)
        column.addWidget(self.advanced)
        self.system.currentIndexChanged.connect(self._fill)

    def _build_advanced(self) -> QVBoxLayout:
        self.steps = number("steps", "Steps", 10_000_000, step=100, special="as the recipe says")
        self.seed = number("seed", "Seed", 2**31 - 1)
        self.threads = number("threads", "Threads on the processor", 1024, special="as the recipe says")
        self.supervision = combo("supervision", "What is learnt from")
        self.settings = QLineEdit()
        self.settings.setObjectName("pointanno_settings")
        self.settings.setAccessibleName("Changed settings")
        self.settings.setPlaceholderText("train.batch_size=8 data.rotate=true")
        self.settings.setToolTip("Settings of the recipe, key=value, separated by blanks")
        self.settings.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.val = PathLine("val", "validation file", folder=False)
        self.val.line.setPlaceholderText("COCO instances with masks")
        self.val_images = PathLine("val_images", "folder of the validation pictures", folder=True)
        self.go_on = _check("go_on", "weights of the shown run")
        self.go_on.setToolTip("Begin with the weights of the run that is shown instead of fresh ones")
        self.stop_with_window = _check("stop_with_window", "stop && keep at closing")
        self.stop_with_window.setToolTip(
            "When the window closes, end the training that is shown with a checkpoint; otherwise it goes on"
        )
        form = _form()
        form.addRow("Steps", self.steps)
        form.addRow("Seed", self.seed)
        form.addRow("Threads", self.threads)
        form.addRow("Learn from", self.supervision)
        form.addRow("Settings", self.settings)
        form.addRow("Validate", self.val)
        form.addRow("its pictures", self.val_images)
        form.addRow("Start", self.go_on)
        form.addRow("Window", self.stop_with_window)
        column = QVBoxLayout()
        column.addLayout(form)
        return column

    def _fill(self) -> None:
        """Recipes and supervisions of the chosen system."""
        index = self.system.currentIndex()
        self.recipe.clear()
        self.supervision.clear()
        if 0 <= index < len(self._systems):
            chosen = self._systems[index]
            self.recipe.addItems(chosen.recipes)
            if "small" in chosen.recipes:
                self.recipe.setCurrentText("small")
            self.supervision.addItems(chosen.supervisions)
            self.supervision.setEnabled(len(chosen.supervisions) > 1)

    def show_systems(self, systems: list[SystemChoice], devices: list[DeviceChoice]) -> None:
        """Fill the menus; a device that was chosen stays."""
        before = self.device.currentIndex()
        was = self._devices[before].name if 0 <= before < len(self._devices) else ""
        if systems != self._systems:
            self._systems = systems
            self.system.clear()
            self.system.addItems([system.title for system in systems])
        self._devices = devices
        self.device.clear()
        self.device.addItems([device.title for device in devices])
        names = [device.name for device in devices]
        self.device.setCurrentIndex(names.index(was) if was in names else 0)

    def value(self) -> TrainForm | None:
        """What the form says, None without a system."""
        index, device = self.system.currentIndex(), self.device.currentIndex()
        if not 0 <= index < len(self._systems):
            return None
        system = self._systems[index]
        supervision = self.supervision.currentText()
        return TrainForm(
            system=system.name,
            recipe=self.recipe.currentText(),
            device=self._devices[device].name if 0 <= device < len(self._devices) else "auto",
            steps=self.steps.value() or None,
            go_on_from_shown=self.go_on.isChecked(),
            seed=self.seed.value(),
            threads=self.threads.value() or None,
            supervision=None if supervision == system.supervisions[0] else supervision,
            overrides=tuple(self.settings.text().split()),
            val=self.val.text(),
            val_images=self.val_images.text(),
        )


def _form() -> QFormLayout:
    form = QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setVerticalSpacing(3)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def _check(name: str, text: str) -> QCheckBox:
    box = QCheckBox(text)
    box.setObjectName(f"pointanno_{name}")
    box.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return box
