"""The dock *Annotate* in Qt."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QFont
from qtpy.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from napari_pointanno._models.image_pages import ImagePages
from napari_pointanno._models.session import BOX_POINTS, SINGLE_POINT
from napari_pointanno._views.annotate_view import AnnotateView, ClassRow, Now
from napari_pointanno._views.qt_class_list import ClassList
from napari_pointanno._views.qt_image_list import ImageList
from napari_pointanno._views.qt_notify import notify
from napari_pointanno._views.qt_project_form import NewForm, OpenForm

GOOD, BAD, FAINT = "#5fd38d", "#ff6b6b", "#9aa0a6"


def _button(text: str, name: str, tip: str) -> QPushButton:
    """A button that never takes the keyboard."""
    button = QPushButton(text)
    button.setObjectName(f"pointanno_{name}")
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return button


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    font = QFont(label.font())
    font.setBold(True)
    label.setFont(font)
    return label


def _rule() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setFixedHeight(1)
    line.setStyleSheet("background: rgba(128, 128, 128, 90); border: none;")
    return line


def _set_color(label: QLabel, color: str) -> None:
    """Colour of a label's text; a style sheet is parsed anew each time, so only if it differs."""
    sheet = f"color: {color};"
    if label.styleSheet() != sheet:
        label.setStyleSheet(sheet)


class _Panel(QWidget):
    """The widget of the dock; takes dropped folders."""

    def __init__(self, view: QtAnnotateView) -> None:
        super().__init__()
        self._view = view
        self.setAcceptDrops(True)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept one folder or file."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """A project is opened, anything else becomes the images of a new one."""
        path = event.mimeData().urls()[0].toLocalFile()
        if path.rstrip("/").endswith(".pointanno"):
            self._view.open_requested.emit(path)
        else:
            self._view.show_form("new")
            self._view.new_form.images.line.setText(path)


class QtAnnotateView(AnnotateView):
    """Builds the dock; `widget` is what napari shows."""

    def __init__(self) -> None:
        self.widget = _Panel(self)
        self.widget.setObjectName("pointanno_annotate")
        self.widget.setMinimumWidth(300)
        layout = QVBoxLayout(self.widget)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(5)
        layout.addLayout(self._build_head())
        self.new_form, self.open_form = NewForm(self.widget), OpenForm(self.widget)
        layout.addWidget(self.new_form)
        layout.addWidget(self.open_form)
        layout.addWidget(_rule())
        layout.addLayout(self._build_modes())
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self._build_classes())
        splitter.addWidget(self._build_images())
        splitter.setStretchFactor(0, 2)
        splitter.setStretchFactor(1, 3)
        layout.addWidget(splitter, 1)
        layout.addWidget(_rule())
        layout.addLayout(self._build_now())
        layout.addLayout(self._build_foot())
        self._connect()
        self.show_project("", "", None)
        self.show_form("")

    def _build_head(self) -> QVBoxLayout:
        self._name = _heading("no project")
        self._saved = QLabel("")
        self._saved.setObjectName("pointanno_saved")
        top = QHBoxLayout()
        top.addWidget(self._name, 1)
        top.addWidget(self._saved)
        self.new = _button("New", "new", "New project from a folder of images or a COCO JSON")
        self.open = _button("Open", "open", "Open a project (*.pointanno)")
        self.demo = _button("Try the demo", "demo", "Generated pictures with things and stuff")
        buttons = QHBoxLayout()
        for button in (self.new, self.open, self.demo):
            buttons.addWidget(button)
        head = QVBoxLayout()
        head.addLayout(top)
        head.addLayout(buttons)
        return head

    def _build_modes(self) -> QHBoxLayout:
        self._modes = {
            SINGLE_POINT: QRadioButton("One point  (Q)"),
            BOX_POINTS: QRadioButton("Box + points  (W)"),
        }
        self._mode_group = QButtonGroup(self.widget)
        line = QHBoxLayout()
        for mode, radio in self._modes.items():
            radio.setObjectName(f"pointanno_mode_{mode}")
            radio.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            self._mode_group.addButton(radio)
            line.addWidget(radio)
        return line

    def _build_classes(self) -> QWidget:
        self.classes = ClassList()
        box = QWidget()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(_heading("Classes"))
        layout.addWidget(self.classes, 1)
        return box

    def _build_images(self) -> QWidget:
        self._images_heading = _heading("Images")
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setFixedHeight(6)
        self.previous = _button("◀ B", "previous", "Previous image (B)")
        self.next = _button("N ▶", "next", "Next image (N)")
        self.unlabelled = _button("unlabelled", "unlabelled", "Next unlabelled image (Shift+N)")
        self.images = ImageList()
        top = QHBoxLayout()
        top.addWidget(self._images_heading, 1)
        for button in (self.previous, self.next, self.unlabelled):
            top.addWidget(button)
        box = QWidget()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self._progress)
        layout.addWidget(self.images, 1)
        return box

    def _build_now(self) -> QVBoxLayout:
        self._prompt = QLabel("")
        self._prompt.setObjectName("pointanno_prompt")
        self._prompt.setWordWrap(True)
        font = QFont(self._prompt.font())
        font.setPointSize(font.pointSize() + 2)
        self._prompt.setFont(font)
        self._point_progress = QLabel("")
        self._point_progress.setObjectName("pointanno_progress")
        self._point_progress.setFont(font)
        self._answered = QLabel("")
        self._answered.setObjectName("pointanno_answered")
        self._answered.setStyleSheet(f"color: {FAINT};")
        line = QHBoxLayout()
        line.addWidget(self._prompt, 1)
        line.addWidget(self._point_progress)
        self.undo = _button("Undo", "undo", "Undo (Ctrl+Z), also across restarts")
        self.redo = _button("Redo", "redo", "Redo (Ctrl+Shift+Z)")
        self.done = _button("Done", "done", "This image is complete; go to the next one (D)")
        buttons = QHBoxLayout()
        for button in (self.undo, self.redo, self.done):
            buttons.addWidget(button)
        now = QVBoxLayout()
        now.setSpacing(4)
        now.addLayout(line)
        now.addWidget(self._answered)
        now.addLayout(buttons)
        return now

    def _build_foot(self) -> QHBoxLayout:
        self.keys = _button("? keys", "keys", "Sheet of keys (?)")
        self.keys.setFlat(True)
        self._keyboard = QLabel("")
        self._keyboard.setObjectName("pointanno_keyboard")
        foot = QHBoxLayout()
        foot.addWidget(self.keys)
        foot.addStretch(1)
        foot.addWidget(self._keyboard)
        return foot

    def _connect(self) -> None:
        self.new.clicked.connect(lambda: self._toggle_form("new"))
        self.open.clicked.connect(lambda: self._toggle_form("open"))
        self.demo.clicked.connect(lambda: self.demo_requested.emit())
        self.new_form.submitted.connect(lambda images, project: self.new_requested.emit(images, project))
        self.open_form.submitted.connect(lambda project: self.open_requested.emit(project))
        for form in (self.new_form, self.open_form):
            form.cancelled.connect(self._on_cancel)
        for mode, radio in self._modes.items():
            radio.clicked.connect(lambda _=False, mode=mode: self.mode_chosen.emit(mode))
        self.classes.chosen.connect(lambda category: self.category_chosen.emit(category))
        self.classes.added.connect(lambda name, isthing: self.category_added.emit(name, isthing))
        self.classes.color_chosen.connect(lambda category, color: self.category_color_chosen.emit(category, color))
        self.classes.kind_chosen.connect(lambda category, isthing: self.category_kind_chosen.emit(category, isthing))
        self.classes.left.connect(lambda: self.left.emit())
        self.images.row_clicked.connect(lambda row: self.row_chosen.emit(row))
        for button, signal in (
            (self.undo, self.undo_requested),
            (self.redo, self.redo_requested),
            (self.done, self.done_requested),
            (self.next, self.next_requested),
            (self.previous, self.previous_requested),
            (self.unlabelled, self.unlabelled_requested),
            (self.keys, self.keys_requested),
        ):
            button.clicked.connect(lambda _=False, signal=signal: signal.emit())

    def _toggle_form(self, name: str) -> None:
        form = self.new_form if name == "new" else self.open_form
        self.show_form("" if form.isVisible() else name)

    def _on_cancel(self) -> None:
        self.show_form("")
        self.left.emit()

    def show_project(self, name: str, path: str, pages: ImagePages | None) -> None:
        """A project is open, or none."""
        self._name.setText(name or "pointanno")
        self._name.setToolTip(path)
        self.images.images.set_pages(pages)
        for widget in (self.undo, self.redo, self.done, self.next, self.previous, self.unlabelled, self.keys,
                       self.classes, self.images, *self._modes.values()):  # fmt: skip
            widget.setEnabled(pages is not None)
        if pages is None:
            self._images_heading.setText("Images")
            self._progress.setRange(0, 1)
            self._progress.setValue(0)
            self._prompt.setText("Make a project from your images, open one, or try the demo.")
            self._saved.setText("")
            self._keyboard.setText("")
            self._answered.setText("")

    def show_classes(self, rows: list[ClassRow], current: int | None) -> None:
        """The class list and its current line."""
        self.classes.show_rows(rows, current)

    def show_mode(self, mode: str) -> None:
        """The mode in force."""
        self._modes[mode].setChecked(True)

    def show_row(self, row: int, touched: int, count: int) -> None:
        """The image in this row is shown; `touched` of `count` images carry annotations."""
        self.images.show_row(row)  # costs nothing if it is shown already
        self._images_heading.setText(f"Images {row + 1}/{count}")
        self._progress.setRange(0, max(count, 1))
        self._progress.setValue(touched)
        self._progress.setToolTip(f"{touched} of {count} images carry annotations")

    def refresh_row(self, row: int) -> None:
        """The counters of a row have changed."""
        self.images.images.refresh(row)

    def show_now(self, now: Now) -> None:
        """The question and its progress."""
        self._prompt.setText(now.prompt)
        self._point_progress.setText(now.progress)
        tail = " · complete ✓" if now.complete else ""
        self._answered.setText(f"{now.answered} points on this image{tail}")
        self.undo.setEnabled(now.can_undo)
        self.redo.setEnabled(now.can_redo)

    def show_saved(self, text: str, ok: bool) -> None:
        """The light: "saved 14:02:11", or what was not saved."""
        self._saved.setText(f"● {text}")
        _set_color(self._saved, GOOD if ok else BAD)

    def show_keyboard(self, on_canvas: bool) -> None:
        """The light that tells where keys go."""
        self._keyboard.setText("keyboard ✓" if on_canvas else "keyboard ✗  click the picture")
        _set_color(self._keyboard, GOOD if on_canvas else BAD)

    def focus_search(self) -> None:
        """Put the cursor into the search box of the classes."""
        self.classes.search.setFocus()
        self.classes.search.selectAll()

    def show_form(self, name: str) -> None:
        """Open an inline form: "new", "open", or "" for none."""
        self.new_form.setVisible(name == "new")
        self.open_form.setVisible(name == "open")
        if name == "new":
            self.new_form.open()
        elif name == "open":
            self.open_form.open()

    def notify(self, sentence: str, *, error: bool = True) -> None:
        """One sentence for the person, by napari's own notifications."""
        notify(sentence, error=error)
