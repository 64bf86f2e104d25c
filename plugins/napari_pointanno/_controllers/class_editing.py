"""Changes of the list of classes: each is said before in numbers where something is annotated, and can be undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, TypeVar

from napari_pointanno._controllers.desk import Desk
from napari_pointanno._views.annotate_view import Choice, ClassQuestion
from pointanno.errors import InputError
from pointanno.project.class_use import counted
from pointanno.timing.clock import now_ns

if TYPE_CHECKING:
    from napari_pointanno._views.annotate_view import AnnotateView
    from napari_pointanno.palette import Color
    from pointanno.dataset import Category

CANCEL = Choice("", "Cancel")

COUNTED_AT_ONCE = 20_000
"""Objects of a project up to which a tool tip counts: pointing at a class must not stop the window."""

T = TypeVar("T")

Answers = Mapping[str, Callable[[], None]]


class ClassEditing:
    """Adds, renames, recolours, orders, merges and deletes.

    Parameters
    ----------
    desk : Desk
    on_changed : callable
        Called after the list has changed, which may concern every image: shows everything anew.
    """

    def __init__(self, desk: Desk, on_changed: Callable[[], None]) -> None:
        self._desk = desk
        self._on_changed = on_changed
        self._answers: Answers = {}
        self._merged: int | None = None
        """The class for which another one is being picked."""

    @property
    def _view(self) -> AnnotateView:
        return self._desk.view

    # ------------------------------------------------------------------ at once

    def add(self, name: str, isthing: bool) -> None:
        """A new class, which becomes the current one."""
        session = self._desk.session
        try:
            name = session.project.check_class_name(name)
        except InputError as error:
            self._view.show_class_note(str(error))
            return
        added = self._desk.recorder.write(lambda: session.project.add_category(name, isthing=isthing))
        if added is not None:
            session.category_id = added.id
            self._after_change()

    def rename(self, category_id: int, name: str) -> None:
        """Another name, if no other class has it."""
        project = self._desk.session.project
        try:
            name = project.check_class_name(name, own_id=category_id)
        except InputError as error:
            self._view.show_class_note(str(error))
            return
        self._write(lambda: project.change_category(category_id, name=name))

    def recolor(self, category_id: int, color: Color) -> None:
        """Another colour."""
        self._write(lambda: self._desk.session.project.change_category(category_id, color=color))

    def set_digit(self, category_id: int, digit: int) -> None:
        """A key of its own, wherever the class stands; -1 gives it the one of its place."""
        self._write(lambda: self._desk.session.project.change_category(category_id, digit=digit))

    def reorder(self, category_ids: list[int]) -> None:
        """Another order; digits follow."""
        if category_ids != [category.id for category in self._desk.session.categories]:
            self._write(lambda: self._desk.session.project.reorder_categories(category_ids))

    def add_from_file(self, path: str) -> None:
        """The classes that a file names and the project lacks."""
        found = self._desk.recorder.write(lambda: self._desk.session.project.add_classes_of(path))
        if found is None:
            return
        added, there = found
        sentence = f"{path}: {len(added)} classes added"
        if there:
            sentence += f", {len(there)} were there already ({', '.join(there[:5])}{', …' if len(there) > 5 else ''})"
        self._view.notify(sentence, error=False)
        self._after_change()

    # ------------------------------------------------------------------ after a question

    def ask_unknown(self, name: str) -> None:
        """Offer to add a class that was searched for and is not there."""
        try:
            name = self._desk.session.project.check_class_name(name)
        except InputError as error:
            self._view.show_class_note(str(error))
            return
        self._ask(
            f"There is no class “{name}”.",
            (Choice("thing", "Add it as a thing"), Choice("stuff", "Add it as stuff"), CANCEL),
            {"thing": lambda: self.add(name, True), "stuff": lambda: self.add(name, False)},
        )

    def ask_kind(self, category_id: int, isthing: bool) -> None:
        """Say what making a class thing or stuff would do, then do it."""
        project, category = self._desk.session.project, self._category(category_id)
        if category is None:
            return
        use = self._read(lambda: project.category_use(category_id))
        if use is None:
            return
        said = project.describe_kind_change(category_id, isthing=isthing, use=use)
        if not isthing and use.drawn:
            self._ask(said, (Choice("", "Close"),), {})
            return
        kind = "a thing" if isthing else "stuff"
        self._ask(
            said,
            (Choice("change", f"Make it {kind}", tip=f"Make {category.name} {kind}"), CANCEL),
            {"change": lambda: self._write(lambda: project.change_category(category_id, isthing=isthing))},
        )

    def ask_merge(self, source: int) -> None:
        """Let the person pick the class that another one is merged into."""
        category = self._category(source)
        if category is None:
            return
        others = [one for one in self._desk.session.categories if one.id != source]
        ids = frozenset(one.id for one in others if one.isthing == category.isthing)
        kind, other_kind = ("thing", "stuff") if category.isthing else ("stuff", "things")
        if not ids:
            self._ask(
                f"{category.name} is {kind}, and there is no other class of that kind to merge it into.",
                (Choice("", "Close"),),
                {},
            )
            return
        self._merged = source
        rest = f" Classes that are {other_kind} cannot be chosen." if len(ids) < len(others) else ""
        self._view.pick_class(
            f"Merge {category.name} into which class? Click it, or type and press Enter; Esc cancels.{rest}", ids
        )

    def picked(self, target: int) -> None:
        """The other class of a merger: say what would happen."""
        source, self._merged = self._merged, None
        self._view.pick_class("", None)
        project = self._desk.session.project
        first, second = self._category(source), self._category(target)
        if first is None or second is None:
            return
        said = self._read(lambda: project.describe_merge(first.id, target))
        if said is not None:
            choice = Choice("merge", f"Merge into {_short(second.name)}", tip=f"Merge {first.name} into {second.name}")
            self._ask(said, (choice, CANCEL), {"merge": lambda: self._merge(first.id, target)})

    def ask_delete(self, category_id: int) -> None:
        """Say what deleting a class would do, and offer to merge it instead."""
        project, category = self._desk.session.project, self._category(category_id)
        if category is None:
            return
        use = self._read(lambda: project.category_use(category_id))
        if use is None:
            return
        choices: tuple[Choice, ...] = (Choice("delete", f"Delete {_short(category.name)}"), CANCEL)
        preferred = 0
        if use.is_used:
            choices = (
                Choice("delete", "Delete it with its annotations"),
                Choice("merge", "Merge into another class instead"),
                CANCEL,
            )
            preferred = len(choices) - 1  # Enter out of habit must not delete what was worked for
        answers = {
            "delete": lambda: self._delete(category_id, agreed=use.is_used),
            "merge": lambda: self.ask_merge(category_id),
        }
        self._ask(project.describe_deletion(category_id, use=use), choices, answers, preferred)

    def answer(self, name: str) -> None:
        """The person chose, or "" for nothing."""
        answers, self._answers = self._answers, {}
        if self._merged is not None:
            self._merged = None
            self._view.pick_class("", None)
        act = answers.get(name)
        if act is not None:
            act()

    # ------------------------------------------------------------------ besides

    def show_use(self, category_id: int) -> None:
        """Count what is annotated as a class, for its tool tip."""
        session, category = self._desk.session, self._category(category_id)
        if category is None:
            return
        digit = next((f", key {digit}" for digit, one in session.digits.items() if one == category_id and digit), "")
        lines = [category.name, f"{'thing' if category.isthing else 'stuff'}{digit}, id {category.id}"]
        counts = session.project.counts()
        if counts["clicks"] + counts["boxes"] <= COUNTED_AT_ONCE:
            use = self._read(lambda: session.project.category_use(category_id))
            if use is not None:
                lines.append(f"in the project: {use.in_words()}")
                lines += [f"declared absent on {counted(use.absences, 'image')}"] if use.absences else []
        self._view.show_class_use(category_id, "\n".join(lines))

    def dialog(self, name: str, *, is_open: bool) -> None:
        """A dialog of the system has opened or closed: meanwhile nothing is timed."""
        self._desk.activity.dialog(name, is_open=is_open, at_ns=now_ns())

    # ------------------------------------------------------------------ within

    def _category(self, category_id: int | None) -> Category | None:
        return next((one for one in self._desk.session.categories if one.id == category_id), None)

    def _ask(self, text: str, choices: tuple[Choice, ...], answers: Answers, preferred: int = 0) -> None:
        self._answers = answers
        self._view.ask_about_class(ClassQuestion(text, choices, preferred))

    def _read(self, read: Callable[[], T]) -> T | None:
        """What the project says; None if it cannot be read, which is told instead."""
        try:
            return read()
        except (InputError, OSError) as error:
            self._view.notify(str(error))
            return None

    def _merge(self, source: int, target: int) -> None:
        session = self._desk.session
        current = target if session.category_id == source else session.category_id
        self._write(lambda: session.project.merge_categories(source, target), current)

    def _delete(self, category_id: int, *, agreed: bool) -> None:
        """`agreed` to lose annotations: what was annotated since an unused class was asked about keeps it."""
        session = self._desk.session
        current = session.category_id
        if current == category_id:  # the one below it in the list, else the one above
            ids = [one.id for one in session.categories]
            place = ids.index(category_id)
            rest = ids[:place] + ids[place + 1 :]
            current = rest[min(place, len(rest) - 1)] if rest else None
        annotations: Literal["delete", "refuse"] = "delete" if agreed else "refuse"
        self._write(lambda: session.project.delete_category(category_id, annotations=annotations), current)

    def _write(self, write: Callable[[], object], current: int | None = None) -> None:
        """Change the project, then show it; what was refused is shown as it was, else `current` is the class."""
        if self._desk.recorder.write(lambda: [write()]) is not None and current is not None:
            self._desk.session.category_id = current
        self._after_change()

    def _after_change(self) -> None:
        self._desk.session.reload_categories()
        self._on_changed()


def _short(name: str, most: int = 24) -> str:
    """A name that fits on a button."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def connect_classes(view: AnnotateView, run: Callable[[Callable[[ClassEditing], None]], None]) -> None:
    """Let what the person wants of the list reach whoever edits it.

    Parameters
    ----------
    view : AnnotateView
    run : callable
        Hands over the `ClassEditing` of the open project; does nothing without one.
    """
    view.category_added.connect(lambda name, isthing: run(lambda one: one.add(name, isthing)))
    view.category_renamed.connect(lambda uid, name: run(lambda one: one.rename(uid, name)))
    view.category_color_chosen.connect(lambda uid, color: run(lambda one: one.recolor(uid, color)))
    view.category_kind_chosen.connect(lambda uid, isthing: run(lambda one: one.ask_kind(uid, isthing)))
    view.category_digit_chosen.connect(lambda uid, digit: run(lambda one: one.set_digit(uid, digit)))
    view.categories_reordered.connect(lambda ids: run(lambda one: one.reorder(ids)))
    view.category_merge_wanted.connect(lambda uid: run(lambda one: one.ask_merge(uid)))
    view.category_delete_wanted.connect(lambda uid: run(lambda one: one.ask_delete(uid)))
    view.category_unknown.connect(lambda name: run(lambda one: one.ask_unknown(name)))
    view.category_picked.connect(lambda uid: run(lambda one: one.picked(uid)))
    view.category_use_wanted.connect(lambda uid: run(lambda one: one.show_use(uid)))
    view.class_answered.connect(lambda name: run(lambda one: one.answer(name)))
    view.class_file_chosen.connect(lambda path: run(lambda one: one.add_from_file(path)))
    view.dialog_opened.connect(lambda name: run(lambda one: one.dialog(name, is_open=True)))
    view.dialog_closed.connect(lambda name: run(lambda one: one.dialog(name, is_open=False)))
