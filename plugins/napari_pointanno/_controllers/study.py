"""A study that runs in the window: leads through pages and images, and keeps everything else locked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_pointanno._models import study_words
from napari_pointanno._models.session import MODE_TITLES, everything
from napari_pointanno._views.annotate_view import StudyState
from napari_pointanno.keymap import Action, KeyInput
from napari_pointanno.napari_versions import camera_of
from pointanno.errors import InputError
from pointanno.project.practice import practice_words
from pointanno.project.studies import Place, Step, StoredPlan, image_ids, progress_of, stored_plan
from pointanno.timing.clock import now_ns

if TYPE_CHECKING:
    from napari_pointanno._controllers.desk import Desk
    from napari_pointanno._controllers.images import Images
    from napari_pointanno.drawing import Page
    from pointanno.project import Event, ImageAnnotations
    from pointanno.project.studies import Progress
    from pointanno.protocols import Protocol
    from pointanno.protocols.study_plan import Block, Schedule

FREE = frozenset(
    {
        *(Action.OBJECT, Action.BACKGROUND, Action.UNSURE, Action.CLASS, Action.CONFIRM, Action.NEW_OBJECT),
        *(Action.ERASE, Action.POLYGON, Action.SMALLER, Action.LARGER, Action.UNDO, Action.REDO, Action.STEP_BACK),
        *(Action.CANCEL, Action.DONE, Action.HIDE, Action.DELETE, Action.KEYS, Action.PAUSE, Action.PAN),
    }
)
"""Keys that mean in a study what they always mean."""

LOCKED_TOOLS = frozenset({"accept"})
"""Tools of any mode that bring suggestions; how boxes are drawn and asked is the plan's affair, too."""

PLAN_ONE = (
    "no study is planned for this project. Plan one, such as: pointanno study-plan {} --conditions single_point "
    "box_points:10 --participants 8"
)


class Study:
    """One for each sitting; while it runs, `Desk.guide` is it.

    Where somebody is follows from the journal alone: after a crash the run goes on at the same image.

    Parameters
    ----------
    desk : Desk
    images : Images
    switch : callable
        Makes a mode current as if nobody had chosen anything in it.
    on_run : callable
        Called with True when a study begins, and with False after it: what shows predictions locks itself.
    """

    def __init__(
        self, desk: Desk, images: Images, switch: Callable[[str], None], on_run: Callable[[bool], None]
    ) -> None:
        self._desk = desk
        self._images = images
        self._switch = switch
        self._on_run = on_run
        self.runs = False
        self._stored: StoredPlan
        self._progress: Progress
        self._ids: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._participant = 0
        self._is_known = False
        self._schedule: Schedule
        self._place: Place | None = None
        """The part of a block that goes on; None before the first and between two."""
        self._protocol: Protocol | None = None
        self._go: Callable[[int], None] = lambda at_ns: None
        self._dialog = ""
        self._rests = False
        self._has_begun = False
        self._rested_ns = 0
        self._zoom: float | None = None
        self._before: tuple[bool, str, bool, Callable[[int], None]] | None = None
        """What was free before: the wheel, the mode, practice, the way to other images."""

    # ------------------------------------------------------------------ begin and end

    def toggle(self, at_ns: int) -> None:
        """The button: begin, or leave."""
        if self.runs:
            self.leave("left", at_ns)
        else:
            self.start(at_ns)

    def start(self, at_ns: int) -> None:
        """Take part in the study of the project, if it has one."""
        desk, session = self._desk, self._desk.session
        project = session.project
        try:
            if session.paused:
                raise InputError(f"the clock is paused: {session.keymap.text(Action.PAUSE)} goes on, then begin")
            stored = stored_plan(project)
            if stored is None:
                raise InputError(PLAN_ONE.format(project.path))
            self._ids = image_ids(project, stored.plan)
        except (InputError, OSError) as error:
            desk.view.notify(str(error))
            return
        self._names = {image_id: name for name, image_id in self._ids.items()}
        self._stored, self._progress = stored, progress_of(project, stored.uuid)
        own = [number for number, who in self._progress.people.items() if who == project.annotator]
        free = (number for number in range(1, stored.plan.participants + 1) if number not in self._progress.people)
        self._is_known = bool(own)
        self._participant = own[0] if own else next(free, 1)
        self._lock()
        self._welcome(at_ns)

    def _lock(self) -> None:
        """From here on everything goes by the plan."""
        desk, session = self._desk, self._desk.session
        self.runs, self._has_begun, self._place = True, False, None
        self._images.facts.close()
        desk.mode.leave()
        session.drag = session.selected = None
        session.key_sheet = False
        camera = camera_of(desk.viewer)
        self._before = (camera.mouse_zoom, session.mode, session.practice, desk.go_to)
        camera.mouse_zoom = False
        camera.events.zoom.connect(self._on_zoom)
        desk.guide, desk.go_to = self, lambda image_id: None
        desk.study_facts = {"order_seed": self._stored.plan.seed}
        session.lens, session.is_led = self._only_own, True
        session.fixed_zoom = None if self._stored.plan.zoom == "fit" else float(self._stored.plan.zoom)
        session.is_still = self._stored.plan.zoom == "fit"
        self._on_run(True)

    def leave(self, reason: str, at_ns: int) -> None:
        """The person stops; the run can be taken up again."""
        if self.runs:
            had_begun = self._has_begun
            self._close_page(at_ns)
            self._record_end(reason, at_ns)
            self._unlock()
            if had_begun:
                self._desk.hint("the study is left: it goes on where you stopped when you begin again")

    def close(self) -> None:
        """The project is being closed: nothing is to be shown any more."""
        if self.runs:
            at_ns = now_ns()
            self._close_page(at_ns)
            self._record_end("closed", at_ns)
            self._free()
            self._desk.view.show_study(StudyState())

    def abandon(self) -> None:
        """The window is gone already.

        Raises
        ------
        InputError, OSError
            If the end cannot be written down.
        """
        runs, self.runs = self.runs and self._has_begun, False
        if runs:
            self._desk.session.project.record("study_end", self._end("window closed"))

    def _record_end(self, reason: str, at_ns: int) -> None:
        if self._has_begun:
            self._desk.recorder.record("study_end", self._end(reason), at_ns=at_ns)
        self._has_begun = False

    def _end(self, reason: str) -> dict[str, object]:
        return {"reason": reason, "plan": self._stored.uuid, "participant": self._participant}

    def _free(self) -> str:
        """Take every lock away; returns the mode from before."""
        desk, session = self._desk, self._desk.session
        assert self._before is not None, "it runs"
        self.runs, self._place, self._protocol = False, None, None
        camera = camera_of(desk.viewer)
        camera.events.zoom.disconnect(self._on_zoom)
        camera.mouse_zoom, mode, session.practice, desk.go_to = self._before
        desk.guide, desk.study_facts = None, {}
        session.lens, session.is_led = everything, False
        session.fixed_zoom, session.is_still, session.page = None, False, None
        session.hides_gold = False
        self._on_run(False)
        return mode

    def _unlock(self) -> None:
        """Everything is free again, and shows what there is."""
        mode, desk = self._free(), self._desk
        desk.view.show_study(StudyState())
        self._switch(mode)
        self._images.navigation.go(desk.session.row)

    # ------------------------------------------------------------------ pages

    def _show_page(self, page: Page, go: Callable[[int], None], at_ns: int, *, dialog: str = "instructions") -> None:
        """Words instead of the picture until the person goes on; meanwhile no time counts."""
        session = self._desk.session
        is_new = session.page is None
        session.page, self._go = page, go
        session.asked = None
        if is_new and dialog:
            self._dialog = dialog
            self._desk.activity.dialog(dialog, is_open=True, at_ns=at_ns)
        self._desk.forget_view()
        self._desk.refresh()
        self._show_state()
        self._desk.canvas.take_focus()

    def _close_page(self, at_ns: int) -> None:
        if self._desk.session.page is None:
            return
        self._desk.session.page = None
        if self._dialog:
            self._desk.activity.dialog(self._dialog, is_open=False, at_ns=at_ns)
        if self._rests:
            self._desk.session.watch.resume("pause", at_ns)
            self._desk.recorder.record("resume", {"reason": "break"}, at_ns=at_ns)
        self._dialog, self._rests = "", False
        self._rested_ns = at_ns

    def _welcome(self, at_ns: int, note: str = "") -> None:
        schedule = self._schedule = self._stored.plan.schedule(self._participant)
        page = study_words.welcome(
            self._stored.plan,
            self._desk.session.keymap,
            self._participant,
            is_known=self._is_known,
            done=self._progress.finished_images(schedule),
            total=sum(len(block.images) for block in schedule.blocks),
            note=note,
        )
        self._show_page(page, self._begin, at_ns, dialog="study")

    def _begin(self, at_ns: int) -> None:
        """The number is chosen."""
        project = self._desk.session.project
        owner = self._progress.people.get(self._participant, project.annotator)
        if owner != project.annotator:
            number = self._participant
            self._welcome(at_ns, f"Participant {number} is {owner}: choose another number, or who you are (People).")
            return
        if self._progress.next_step(self._schedule, self._ids) is None:
            return
        if why := self._given_to_others():
            self._welcome(at_ns, why)
            return
        plan = self._stored.plan
        payload = {
            **{"name": plan.name, "seed": plan.seed, "plan": self._stored.uuid, "participant": self._participant},
            **{"annotator": project.annotator, "resumed": self._is_known, "warm_up": plan.warm_up},
        }
        if self._desk.recorder.record("study_start", payload, at_ns=at_ns) is None:
            return
        self._has_begun = self._is_known = True
        self._close_page(at_ns)
        self._advance(at_ns)

    def _given_to_others(self) -> str:
        """Why boxes of a file cannot be asked here, in words; "" if they can."""
        if not any(block.condition.options.get("draw") == "none" for block in self._schedule.blocks):
            return ""
        others = [who for number, who in self._progress.people.items() if number != self._participant]
        if not others:
            return ""
        return f"Boxes of a file can be answered once, and {others[0]} has begun here. Use a copy of the project."

    # ------------------------------------------------------------------ on to the next

    def _sync(self) -> None:
        """Learn what was written since."""
        self._progress.take(self._desk.session.project.events(after_seq=self._progress.last_seq))

    def _advance(self, at_ns: int) -> None:
        """To whatever comes next."""
        self._sync()
        step = self._progress.next_step(self._schedule, self._ids)
        if step is None:
            self._finish(at_ns)
            return
        place = Place(self._participant, step.block, step.practice)
        before, breaks = self._place, self._stored.plan.breaks
        if place == before:
            late = breaks.minutes and at_ns - self._rested_ns >= breaks.minutes * 60e9
            if late:
                self._rest(lambda then_ns: self._show(step), at_ns)
            else:
                self._show(step)
        elif before is not None and before.block != step.block and breaks.after_block:
            self._rest(lambda then_ns: self._instruct(step, place, then_ns), at_ns)
        else:
            self._instruct(step, place, at_ns)

    def _rest(self, then: Callable[[int], None], at_ns: int) -> None:
        """A break, during which the clock stands still."""
        session = self._desk.session
        self._desk.recorder.record("pause", {"reason": "break"}, at_ns=at_ns)
        session.watch.suspend("pause", at_ns)
        self._rests = True
        total = sum(len(block.images) for block in self._schedule.blocks)
        page = study_words.rest(self._progress.finished_images(self._schedule), total, session.keymap)
        self._show_page(page, lambda then_ns: self._after_page(then, then_ns), at_ns, dialog="")

    def _after_page(self, then: Callable[[int], None], at_ns: int) -> None:
        self._close_page(at_ns)
        then(at_ns)

    def _block(self, number: int) -> Block:
        return self._schedule.blocks[number]

    def _instruct(self, step: Step, place: Place, at_ns: int) -> None:
        """What is to be done in the next part."""
        session, block = self._desk.session, self._block(step.block)
        self._place = None
        page = study_words.instruction(
            block,
            len(self._schedule.blocks),
            block.condition.protocol(session.project.settings),
            session.categories,
            session.digits,
            session.keymap,
            practice=step.practice,
            resumes=place in self._progress.parts,
        )
        self._show_page(page, lambda then_ns: self._begin_part(step, place, then_ns), at_ns)

    def _begin_part(self, step: Step, place: Place, at_ns: int) -> None:
        """The instruction was read."""
        session, block = self._desk.session, self._block(step.block)
        condition = block.condition
        payload = {
            **{"condition": condition.name, "mode": condition.mode, "practice": step.practice, "block": step.block},
            **{"plan": self._stored.uuid, "participant": self._participant, "options": condition.options},
        }
        if self._desk.recorder.record("block_start", payload, at_ns=at_ns) is None:
            return  # the page stays
        self._close_page(at_ns)
        self._place = place
        self._protocol = condition.protocol(session.project.settings)
        session.practice = step.practice
        self._switch(condition.mode)
        self._show(step)

    def _show(self, step: Step) -> None:
        """The image that is worked on now."""
        desk, session = self._desk, self._desk.session
        name = self._names[step.image_id]
        session.hides_gold = not step.practice and name not in self._stored.plan.gold
        self._zoom = None
        self._images.navigation.go(session.pages.let_in(step.image_id))
        self._zoom = camera_of(desk.viewer).zoom
        part = self._block(step.block).part(step.practice)
        if step.number + 1 < len(part):
            desk.pictures.prefetch(session.project.image(self._ids[part[step.number + 1]]).path)
        self._show_state(step)

    def done(self, at_ns: int) -> None:
        """The person is done with the image."""
        desk, session = self._desk, self._desk.session
        if session.page is not None or self._place is None or session.image is None or session.paused:
            return
        if session.readable and (why := desk.mode.unfinished()):
            desk.hint(why)
            return
        image_id = session.image.id
        kind, payload = ("complete", {"things": True, "stuff": True}) if session.readable else (
            "skip", {"reason": "unreadable"}
        )  # fmt: skip
        if desk.record(kind, payload, at_ns=at_ns) is None:
            return
        told = ""
        if self._place.practice and session.readable:
            known = session.project.annotations(image_id, layer="gold")
            told = practice_words(session.lens(session.project.annotations(image_id)), known, session.categories)
        if told:
            page = study_words.told(told, session.keymap)
            self._show_page(page, lambda then_ns: self._after_page(self._advance, then_ns), at_ns, dialog="feedback")
        else:
            self._advance(at_ns)

    def _finish(self, at_ns: int) -> None:
        """All blocks are done."""
        self._record_end("finished", at_ns)
        self._place = None
        total = sum(len(block.images) for block in self._schedule.blocks)
        page = study_words.farewell(self._stored.plan, total, self._desk.session.keymap)
        self._show_page(page, self._leave_page, at_ns, dialog="end")

    def _leave_page(self, at_ns: int) -> None:
        self._close_page(at_ns)
        self._unlock()
        self._desk.hint("the study is complete")

    # ------------------------------------------------------------------ inputs

    def key(self, key: KeyInput) -> bool:
        """Take or refuse a key; False leaves it to the session."""
        session, action = self._desk.session, key.action
        if session.page is not None:
            if not key.released:
                self._page_key(action, key.at_ns)
            return True
        if action not in FREE or (action is Action.CLASS and key.digit == 0):
            if not key.released:
                self.refuse()
            return True
        return False

    def _page_key(self, action: Action, at_ns: int) -> None:
        if action is Action.CONFIRM:
            self._go(at_ns)
        elif action is Action.CANCEL and self._go == self._leave_page:
            self._leave_page(at_ns)
        elif action is Action.CANCEL:
            self.leave("left", at_ns)
        elif action in (Action.NEXT, Action.PREVIOUS) and self._go == self._begin and not self._is_known:
            count = self._stored.plan.participants
            self._participant = (self._participant - 1 + (1 if action is Action.NEXT else -1)) % count + 1
            self._welcome(at_ns)

    def refuse(self) -> None:
        """Say that something is locked."""
        if self._desk.session.page is None:
            self._desk.hint(f"locked while the study runs;  {self._desk.session.keymap.text(Action.CANCEL)} leaves it")

    def allows_tool(self, name: str) -> bool:
        """Whether a tool of the mode may be used: how boxes come about is a part of the condition."""
        return self._desk.session.page is None and self._desk.mode.name == "mask" and name not in LOCKED_TOOLS

    def may_turn(self, event: Event | None) -> bool:
        """Whether an undo or redo stays within the part of the block that goes on."""
        self._sync()
        return event is not None and self._place is not None and self._progress.owns(event, self._place)

    def after_history(self, at_ns: int) -> None:
        """Something was undone or redone: an image that is finished is left again."""
        session = self._desk.session
        self._sync()
        if self._place is None or session.image is None:
            return
        if session.image.id in self._progress.done(self._place):
            self._advance(at_ns)
            return
        self._zoom = camera_of(self._desk.viewer).zoom
        session.hides_gold = not self._place.practice and self._names[session.image.id] not in self._stored.plan.gold
        self._show_state(self._progress.next_step(self._schedule, self._ids))

    # ------------------------------------------------------------------ what is seen

    @property
    def protocol(self) -> Protocol | None:
        """What asks now; None while a page is shown."""
        return self._protocol

    def _only_own(self, annotations: ImageAnnotations) -> ImageAnnotations:
        """What was made in this part of this block."""
        self._sync()
        if self._place is None:
            return self._progress.only_own(annotations, Place(0))
        return self._progress.only_own(
            annotations, self._place, given=getattr(self._protocol, "draw", "drag") == "none"
        )

    def _on_zoom(self) -> None:
        """The zoom is fixed, whatever moved it."""
        camera = camera_of(self._desk.viewer)
        if self._zoom is not None and self._desk.session.page is None and camera.zoom != self._zoom:
            camera.zoom = self._zoom

    def _show_state(self, step: Step | None = None) -> None:
        """Where the person is, for the dock."""
        text = f"participant {self._participant}"
        if step is not None:
            mode = MODE_TITLES[self._block(step.block).condition.mode]
            kind = "practice" if step.practice else "image"
            blocks = len(self._schedule.blocks)
            text += f" · block {step.block + 1} of {blocks}: {mode} · {kind} {step.number + 1} of {step.total}"
        self._desk.view.show_study(StudyState(runs=True, text=text))
