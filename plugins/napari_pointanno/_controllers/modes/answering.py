"""What the modes share that ask whether a point lies on an object."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from napari_pointanno._controllers.modes.base import WHITE, Mode, dots_of, frame_of
from napari_pointanno.drawing import Question, Sketch
from napari_pointanno.keymap import Action
from pointanno.coords import index_to_napari

if TYPE_CHECKING:
    from napari_pointanno.keymap import KeyInput
    from pointanno.protocols import AskPoint, Step

ANSWERS = {Action.OBJECT: "object", Action.BACKGROUND: "background", Action.UNSURE: "unsure"}


class Answering(Mode):
    """One point at a time, answered by a key; the next one follows only when the answer is safe."""

    @abstractmethod
    def answer_step(self, value: str) -> Step:
        """The event of an answer to the point that is asked."""

    def key(self, key: KeyInput) -> bool:
        """Answer."""
        if key.action not in ANSWERS:
            return False
        self._answer(ANSWERS[key.action], key)
        return True

    def progress(self) -> str:
        """Which of the points is asked."""
        asked = self.session.asked
        return "" if asked is None else f"{asked.index + 1}/{asked.total}"

    @property
    def busy(self) -> str:
        """A point wants its answer first."""
        if self.session.asked is None:
            return ""
        keymap = self.session.keymap
        return f"answer with {keymap.texts(ANSWERS)};  {keymap.text(Action.CANCEL)} leaves this box"

    def _answer(self, value: str, key: KeyInput) -> None:
        session = self.session
        if session.asked is None:
            self._desk.hint(session.obstacle or self.nothing_asked())
            return
        if not self.begin_answer(key.at_ns):
            return
        told = self.feedback(session.asked, value)
        kind, payload = self.answer_step(value)
        elapsed = session.watch.elapsed_ms(key.at_ns)
        timing = {"key": key.key, "shown": elapsed is not None}
        if key.qt_ms is not None:
            timing["qt_ms"] = key.qt_ms
        # a key that came before its question was on the screen has no answer time
        payload = {**payload, "time_ms": elapsed}
        if self._desk.record(kind, payload, at_ns=key.at_ns, timing=timing) is None:
            return
        if elapsed is not None or not session.watch.running:
            session.watch.start(key.at_ns)
        session.hint = ""
        self.answered()
        if told:
            self._desk.hint(told)

    def begin_answer(self, at_ns: int) -> bool:
        """Make durable what an answer stands on, if it is not yet; False if that failed."""
        return True

    def feedback(self, asked: AskPoint, value: str) -> str:
        """What to say about an answer, for whoever practises; "" for nothing."""
        return ""

    def answered(self) -> None:
        """An answer is safe: ask the next point."""
        self._on_changed()

    def nothing_asked(self) -> str:
        """Why no answer can be given now, in words."""
        return "no point is asked"

    def asked_name(self) -> str:
        """The class that is asked about, as it stands in the question."""
        asked = self.session.asked
        assert asked is not None
        return self.class_name(asked.category_id).upper()

    def question(self) -> Sketch:
        """The point that is asked, its box and the answers so far."""
        session = self.session
        box = None if session.asked is None else session.box(session.asked.box_uid)
        if session.asked is None or box is None:
            return Sketch()
        row, column = index_to_napari((session.asked.x, session.asked.y)).tolist()
        text = f"{self.asked_name()}?   {session.keymap.answers()}   {self.progress()}"
        question = Question(row, column, text, WHITE)
        dots = () if session.look.hides_answered else dots_of(box)
        return Sketch(question, dots, (frame_of(box, self.color(box.category_id)),))
