"""The dock *Annotate* in Qt."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QFont
from qtpy.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QRadioButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from napari_pointanno._models.image_pages import ImagePages
from napari_pointanno._models.opening import OpeningJob
from napari_pointanno._models.picture_look import ChannelLook
from napari_pointanno._models.plan import PlanState
from napari_pointanno._models.reasons import Strip
from napari_pointanno._models.session import MODE_TITLES
from napari_pointanno._models.tools import Tool
from napari_pointanno._views.annotate_view import AnnotateView, ClassQuestion, ClassRow, Now, StudyState
from napari_pointanno._views.qt_background import QtBackground
from napari_pointanno._views.qt_channel_bar import ChannelBar
from napari_pointanno._views.qt_class_list import ClassList
from napari_pointanno._views.qt_image_facts import CompleteBoxes, ReasonStrip
from napari_pointanno._views.qt_image_panel import ImagePanel
from napari_pointanno._views.qt_notify import notify
from napari_pointanno._views.qt_opening import MissingStrip, OpeningStrip
from napari_pointanno._views.qt_people import QtPeopleView
from napari_pointanno._views.qt_plan_form import PlanForm
from napari_pointanno._views.qt_project_form import NewForm, OpenForm
from napari_pointanno._views.qt_review import QtReviewView
from napari_pointanno._views.qt_scrolling import Scrolling
from napari_pointanno._views.qt_study_strip import StudyStrip
from napari_pointanno._views.qt_tool_strip import ToolStrip
from napari_pointanno.key_choice import DEFAULT_KEYS
from napari_pointanno.keymap import Action, KeyMap
from pointanno.project.image_list import ImageFilter

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
    """What lies in the dock; takes dropped folders."""

    def __init__(self, view: QtAnnotateView) -> None:
        super().__init__()
        self._view = view
        self.setAcceptDrops(True)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept one folder or file."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Whoever listens knows what it is."""
        path = event.mimeData().urls()[0].toLocalFile()
        if path:  # an address of the web is no file
            self._view.dropped.emit(path)


class QtAnnotateView(AnnotateView):
    """Builds the dock; `widget` is what napari shows."""

    def __init__(self) -> None:
        self.background = QtBackground()
        self.widget = _Panel(self)
        self.widget.setObjectName("pointanno_annotate")
        layout = QVBoxLayout(self.widget)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(5)
        self._review, self._people = QtReviewView(), QtPeopleView()
        layout.addLayout(self._build_head())
        layout.addWidget(self._build_middle(), 1)
        layout.addWidget(_rule())
        layout.addLayout(self._build_now())
        layout.addLayout(self._build_foot())
        self._connect()
        self.show_keys(DEFAULT_KEYS)
        self.show_project("", "", None)
        self.show_form("")

    def _build_middle(self) -> Scrolling:
        """Everything but head and question, which are always seen."""
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        self.new_form, self.open_form = NewForm(content), OpenForm(content)
        self.opening, self.missing = OpeningStrip(content), MissingStrip(content)
        for part in (self.new_form, self.open_form, self.opening, self.missing):
            layout.addWidget(part)
        layout.addWidget(self._people.greeting)
        layout.addWidget(_rule())
        self.study = StudyStrip(content)
        layout.addWidget(self.study)
        modes = QWidget(content)
        modes.setLayout(self._build_modes())
        layout.addWidget(modes)
        self.tools = ToolStrip(content)
        layout.addWidget(self.tools)
        self.plan = PlanForm()
        layout.addWidget(self.plan)
        layout.addWidget(self._review.widget)
        layout.addWidget(self._people.widget)
        self.channels = ChannelBar()
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self._build_classes())
        splitter.addWidget(self._build_images())
        self.study.locks(
            *(self.new_form, self.open_form, self.missing, self._people.greeting, modes, self.plan),
            *(self._review.widget, self._people.widget, self.image_panel, self.channels),
            *(self.classes.search, self.classes.more, self.classes.name, self.classes.kind, self.classes.add),
        )
        splitter.setStretchFactor(0, 2)
        splitter.setStretchFactor(1, 3)
        layout.addWidget(splitter, 1)
        layout.addWidget(self.channels)
        scrolling = Scrolling("annotate_middle")
        scrolling.setWidget(content)
        return scrolling

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

    def _build_modes(self) -> QGridLayout:
        self._modes = {mode: QRadioButton(title) for mode, title in MODE_TITLES.items()}
        self._mode_group = QButtonGroup(self.widget)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        for number, (mode, radio) in enumerate(self._modes.items()):
            radio.setObjectName(f"pointanno_mode_{mode}")
            radio.setToolTip(f"Annotate this way: {MODE_TITLES[mode]}")
            radio.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            self._mode_group.addButton(radio)
            grid.addWidget(radio, *divmod(number, 2))
        return grid

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
        self.image_panel = panel = ImagePanel()
        self.images = panel.list
        self.previous, self.next, self.unlabelled = panel.previous, panel.next, panel.unlabelled
        return panel

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
        self._answered.setToolTip("Clicks and answers on this image, and what was said about it")
        self._answered.setWordWrap(True)
        self._answered.setStyleSheet(f"color: {FAINT};")
        line = QHBoxLayout()
        line.addWidget(self._prompt, 1)
        line.addWidget(self._point_progress)
        self.undo = _button("Undo", "undo", "Undo, also across restarts")
        self.redo = _button("Redo", "redo", "Redo")
        self.done = _button("Done", "done", "This image is complete; go to the next one")
        buttons = QHBoxLayout()
        for button in (self.undo, self.redo, self.done):
            buttons.addWidget(button)
        now = QVBoxLayout()
        now.setSpacing(4)
        now.addLayout(line)
        facts = QHBoxLayout()
        facts.addWidget(self._answered, 1)
        self.complete = CompleteBoxes()
        facts.addWidget(self.complete)
        self.strip = ReasonStrip()
        now.addLayout(facts)
        now.addWidget(self.strip)
        now.addLayout(buttons)
        return now

    def _build_foot(self) -> QHBoxLayout:
        self.keys = _button("keys", "keys", "Sheet of keys")
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
        self.study.pressed.connect(lambda: self.study_requested.emit())
        self.tools.chosen.connect(lambda name: self.tool_chosen.emit(name))
        self.plan.submitted.connect(lambda wish: self.plan_requested.emit(wish))
        self.plan.left.connect(lambda: self.left.emit())
        for mode, radio in self._modes.items():
            radio.clicked.connect(lambda _=False, mode=mode: self.mode_chosen.emit(mode))
        self.classes.chosen.connect(lambda category: self.category_chosen.emit(category))
        for theirs, ours in (
            (self.classes.added, self.category_added),
            (self.classes.renamed, self.category_renamed),
            (self.classes.color_chosen, self.category_color_chosen),
            (self.classes.kind_chosen, self.category_kind_chosen),
            (self.classes.digit_chosen, self.category_digit_chosen),
            (self.classes.reordered, self.categories_reordered),
            (self.classes.merge_wanted, self.category_merge_wanted),
            (self.classes.delete_wanted, self.category_delete_wanted),
            (self.classes.unknown, self.category_unknown),
            (self.classes.picked, self.category_picked),
            (self.classes.use_wanted, self.category_use_wanted),
            (self.classes.answered, self.class_answered),
            (self.classes.file_chosen, self.class_file_chosen),
            (self.classes.dialog_opened, self.dialog_opened),
            (self.classes.dialog_closed, self.dialog_closed),
            (self.classes.left, self.left),
        ):
            theirs.connect(lambda *values, ours=ours: ours.emit(*values))
        self.channels.shown.connect(lambda index, on: self.channel_shown.emit(index, on))
        self.channels.alone.connect(lambda index: self.channel_alone.emit(index))
        self.channels.limits.connect(lambda index, low, high: self.channel_limits.emit(index, low, high))
        self.channels.left.connect(lambda: self.left.emit())
        self._connect_images()
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

    def _connect_images(self) -> None:
        panel, strip = self.image_panel, self.strip
        panel.row_clicked.connect(lambda row: self.row_chosen.emit(row))
        panel.filter_chosen.connect(lambda where: self.filter_chosen.emit(where))
        panel.sought.connect(lambda text: self.image_sought.emit(text))
        panel.left.connect(lambda: self.left.emit())
        self.complete.chosen.connect(lambda things, stuff: self.complete_chosen.emit(things, stuff))
        strip.digit_chosen.connect(lambda digit: self.strip_digit.emit(digit))
        strip.words_given.connect(lambda text: self.strip_words.emit(text))
        strip.left.connect(lambda: self.strip_left.emit())
        self.opening.cancelled.connect(lambda: self.opening_cancelled.emit())
        self.missing.given.connect(lambda folder: self.relocate_requested.emit(folder))
        self.missing.left.connect(lambda: self.left.emit())

    def _toggle_form(self, name: str) -> None:
        form = self.new_form if name == "new" else self.open_form
        self.show_form("" if form.isVisible() else name)

    def _on_cancel(self) -> None:
        self.show_form("")
        self.left.emit()

    @property
    def review(self) -> QtReviewView:
        """The part *Review*."""
        return self._review

    @property
    def people(self) -> QtPeopleView:
        """The part *People*."""
        return self._people

    def show_project(self, name: str, path: str, pages: ImagePages | None) -> None:
        """A project is open, or none."""
        self._name.setText(name or "pointanno")
        self._name.setToolTip(path)
        self.image_panel.set_pages(pages)
        for widget in (self.undo, self.redo, self.done, self.next, self.previous, self.unlabelled, self.keys,
                       self.classes, self.complete, self.study, *self._modes.values()):  # fmt: skip
            widget.setEnabled(pages is not None)
        if pages is None:
            self.complete.show_complete(False, False)
            self._prompt.setText("Make a project from your images, open one, or try the demo.")
            self._saved.setText("")
            self._keyboard.setText("")
            self._answered.setText("")

    def show_study(self, state: StudyState) -> None:
        """A study runs, and what is locked by it is put away; or none does."""
        self.study.show_study(state)
        self.complete.setVisible(not state.runs)
        for button in (self.new, self.open, self.demo):
            button.setVisible(not state.runs)

    def show_classes(self, rows: list[ClassRow], current: int | None) -> None:
        """The class list and its current line."""
        self.classes.show_rows(rows, current)

    def ask_about_class(self, question: ClassQuestion) -> None:
        """Ask within the dock; `class_answered` brings the answer."""
        self.classes.ask(question)

    def pick_class(self, sentence: str, ids: frozenset[int] | None) -> None:
        """Let the person pick one of these classes; None ends that."""
        self.classes.pick(sentence, ids)

    def show_class_note(self, sentence: str) -> None:
        """Why a name is refused; what was typed stays to be corrected."""
        self.classes.show_note(sentence)

    def show_class_use(self, category_id: int, text: str) -> None:
        """The tool tip of a class."""
        self.classes.show_use(category_id, text)

    def show_keys(self, keymap: KeyMap) -> None:
        """The keys in force, for buttons and tooltips that name them."""
        by_name = {action.value: keymap.text(action) for action in keymap.keys}
        for mode, radio in self._modes.items():
            radio.setText(f"{MODE_TITLES[mode]}  ({by_name[mode]})" if mode in by_name else MODE_TITLES[mode])
        self.previous.setText(f"◀ {keymap.text(Action.PREVIOUS)}")
        self.next.setText(f"{keymap.text(Action.NEXT)} ▶")
        self.keys.setText(f"{keymap.text(Action.KEYS)} keys")
        self.image_panel.show_keys(keymap)
        self._review.show_keys(keymap)
        for button, action, tip in (
            (self.previous, Action.PREVIOUS, "Previous image ({})"),
            (self.next, Action.NEXT, "Next image ({})"),
            (self.unlabelled, Action.NEXT_UNLABELLED, "Next unlabelled image ({})"),
            (self.undo, Action.UNDO, "Undo ({}), also across restarts"),
            (self.redo, Action.REDO, "Redo ({})"),
            (self.done, Action.DONE, "This image is complete; go to the next one ({})"),
            (self.keys, Action.KEYS, "Sheet of keys ({})"),
        ):
            button.setToolTip(tip.format(keymap.text(action)))

    def show_plan(self, state: PlanState) -> None:
        """How images are annotated."""
        self.plan.show_plan(state)

    def show_tools(self, tools: tuple[Tool, ...]) -> None:
        """The buttons of the mode in force, in their present state."""
        self.tools.show_tools(tools)

    def show_mode(self, mode: str) -> None:
        """The mode in force."""
        self._modes[mode].setChecked(True)

    def show_row(self, row: int, touched: int, count: int) -> None:
        """The image in this row is shown; `touched` of `count` images carry annotations."""
        self.image_panel.show_row(row, touched, count)

    def refresh_row(self, row: int) -> None:
        """The counters of a row have changed."""
        self.images.images.refresh(row)

    def refresh_rows(self) -> None:
        """The counters of any row, or the image sets, may have changed."""
        self.images.images.refresh_all()
        self.image_panel.refresh_sets()

    def show_filter(self, where: ImageFilter) -> None:
        """The filter of the image list that is in force."""
        self.image_panel.show_filter(where)

    def focus_image_search(self) -> None:
        """Put the cursor into the search line of the images."""
        self.image_panel.focus_search()

    def show_strip(self, strip: Strip | None) -> None:
        """A question about the image that a digit answers, or none."""
        self.strip.show_strip(strip)

    def ask_words(self) -> None:
        """Let the person type a reason within the strip."""
        self.strip.ask_words()

    def show_opening(self, job: OpeningJob | None) -> None:
        """A project that is on its way, or none."""
        self.opening.show_job(job)

    def show_missing(self, folder: str) -> None:
        """The pictures are not in this folder any more: offer to choose another one; "" for none."""
        self.missing.show_missing(folder)

    def show_channels(self, channels: Sequence[ChannelLook]) -> None:
        """The measured channels of the picture; none hides the bar."""
        self.channels.show_channels(channels)

    def show_now(self, now: Now) -> None:
        """The question and its progress."""
        self._prompt.setText(now.prompt)
        self._point_progress.setText(now.progress)
        self.complete.show_complete(now.complete_things, now.complete_stuff)
        points = f"{now.answered:,} point{'' if now.answered == 1 else 's'}"
        self._answered.setText(f"{points} · {now.note}" if now.note else points)
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
        self.classes.focus_search()

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
