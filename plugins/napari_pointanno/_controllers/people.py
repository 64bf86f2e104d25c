"""Who annotates, what is annotated twice, how far people agree, and copies of the project that come back."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_pointanno._views.people_view import AnnotatorRow, ConflictRow
from pointanno.errors import InputError
from pointanno.project.image_list import ImageFilter
from pointanno.project.merging import MergeReport, merge_projects

if TYPE_CHECKING:
    from napari_pointanno._controllers.annotate import AnnotateController
    from napari_pointanno._controllers.background import Background
    from pointanno.project import Project
    from pointanno.project.agreement import Agreement

WHAT_IS_RECORDED = (
    "You are recorded as {}: what you do, and how long each answer takes (personal data). "
    "Your name stays in this project unless somebody asks for it in an export."
)
"""The one sentence, for a pseudonym."""

_CONFLICTS = {
    "changed_twice": "changed twice (the later change holds)",
    "without_effect": "without effect",
    "annotated_twice": "annotated twice (both are kept)",
}


def identify(project: Project) -> bool:
    """Let whoever works at this computer go on under their pseudonym; True if it is a new one."""
    known = project.annotator_here()
    pseudonym = known or project.new_pseudonym()
    project.change_annotator(pseudonym)
    if known is None:
        with contextlib.suppress(InputError, OSError):  # then it is chosen anew the next time
            project.remember_annotator(pseudonym)
    return known is None


class People:
    """The part *People* of the dock.

    Parameters
    ----------
    annotate : AnnotateController
        Owns the project; joining closes and opens it.
    background : callable
    """

    def __init__(self, annotate: AnnotateController, background: Background) -> None:
        self._annotate = annotate
        self._background = background
        self._view = view = annotate.view.people
        self._is_joining = False
        view.annotator_chosen.connect(self.choose)
        view.newcomer_wanted.connect(self.welcome)
        view.name_given.connect(self.name)
        view.second_pass_wanted.connect(self.plan_second_pass)
        view.agreement_wanted.connect(self.compare)
        view.gold_given.connect(self.take_gold)
        view.practice_chosen.connect(self.practise)
        view.copy_given.connect(self.join)
        view.conflict_chosen.connect(annotate.go_to)
        view.left.connect(annotate.take_focus)
        annotate.project_changed.connect(self._on_project)

    # ------------------------------------------------------------------ who annotates

    def choose(self, pseudonym: str) -> None:
        """Somebody else goes on."""
        project = self._annotate.project
        if project is None or pseudonym == project.annotator:
            self._annotate.take_focus()
            return
        self._annotate.change_annotator(pseudonym)
        if project.annotator == pseudonym:
            self._keep(project)
        self._show(project)

    def welcome(self) -> None:
        """Somebody new goes on, under a pseudonym of their own."""
        project = self._annotate.project
        if project is not None:
            before = project.annotator
            self._annotate.change_annotator(project.new_pseudonym())
            if project.annotator != before:  # else it could not be written down, which was told
                self._keep(project)
                self._view.greet(WHAT_IS_RECORDED.format(project.annotator))
            self._show(project)

    def name(self, name: str) -> None:
        """Note who is behind the pseudonym; it is written into this project and nowhere else."""
        project = self._annotate.project
        if project is not None and name.strip():
            try:
                project.name_annotator(project.annotator, name.strip())
            except (InputError, OSError) as error:
                self._annotate.view.notify(str(error))
            self._show(project)
        self._view.greet("")
        self._annotate.take_focus()

    def _keep(self, project: Project) -> None:
        try:
            project.remember_annotator(project.annotator)
        except (InputError, OSError) as error:
            self._annotate.view.notify(str(error))

    # ------------------------------------------------------------------ the second opinion

    def plan_second_pass(self, share: float, only_listed: bool) -> None:
        """Choose a share of the images, or of those that the list shows, for a second opinion."""
        project, session = self._annotate.project, self._annotate.session
        if project is None or session is None:
            return
        where = session.pages.where if only_listed else None
        try:
            project.plan_second_pass(share, where=where)
        except (InputError, OSError) as error:
            self._annotate.view.notify(str(error))
            return
        self._annotate.show_again()
        self._show_second_pass(project)

    def compare(self) -> None:
        """How far people agree; known answers are told between two parts of the work and not amid a question."""
        project, session = self._annotate.project, self._annotate.session
        if project is None or session is None:
            return
        if session.asked is not None:
            self._view.show_agreement("A point is asked just now. Answer it, or leave the box, then look again.")
            self._annotate.take_focus()
            return
        self._view.show_agreement("comparing …")

        def done(result: Any) -> None:
            if self._annotate.project is not project:
                return
            if isinstance(result, Exception):
                if not isinstance(result, (InputError, OSError)):
                    raise result
                self._view.show_agreement(str(result))
            else:
                self._view.show_agreement(agreement_words(*result))
            self._show_second_pass(project)

        self._background(lambda: (project.agreement("second"), project.agreement("gold")), done)
        self._annotate.take_focus()

    def take_gold(self, path: str) -> None:
        """Import known answers; they are asked among the others and nobody sees that they are known."""
        project = self._annotate.project
        if project is None:
            return
        self._view.show_agreement("reading known answers …")

        def work() -> Any:
            from pointanno.formats import read_dataset

            file = Path(path).expanduser()
            return project.import_dataset(read_dataset(file), file=str(file), layer="gold")

        def done(result: Any) -> None:
            if isinstance(result, Exception):
                self._view.show_agreement("")
                if not isinstance(result, (InputError, OSError)):
                    raise result
                self._annotate.view.notify(str(result))
                return
            if self._annotate.session is not None:
                self._annotate.session.gold_version += 1
            words = f"Known answers: {result.boxes:,} boxes and {result.clicks:,} clicks on {result.images:,} images."
            self._view.show_agreement(words)
            for sentence in result.skipped[:3]:
                self._annotate.view.notify(sentence)
            self._annotate.show_again()

        self._background(work, done)
        self._annotate.take_focus()

    def practise(self, tells: bool) -> None:
        """Whether each known answer is told at once, to learn the task."""
        session = self._annotate.session
        if session is not None:
            session.practice = tells
        self._annotate.take_focus()

    # ------------------------------------------------------------------ copies

    def join(self, path: str) -> None:
        """Join another copy of this project; the project is closed meanwhile and opened again."""
        project = self._annotate.project
        other = Path(path).expanduser()
        if project is None or self._is_joining:
            return
        if not other.is_dir():
            self._annotate.view.notify(f"{other}: there is no such project folder; give another copy of this project")
            return
        if other.resolve() == project.path.resolve():
            self._annotate.view.notify(f"{other}: this is the project itself; give another copy of it")
            return
        target = project.path
        self._is_joining = True
        self._annotate.close()
        self._view.show_joining(f"Joining {other.name} … the project is closed meanwhile", (), is_busy=True)

        def done(result: Any) -> None:
            self._is_joining = False
            if isinstance(result, MergeReport):
                conflicts = [ConflictRow(one["sentence"], one["image"]) for one in result.conflicts]
                self._view.show_joining(joining_words(result), conflicts, is_busy=False)
            else:
                self._view.show_joining(f"Nothing was joined: {result}", (), is_busy=False)
            if self._annotate.project is None:  # unless the person has opened another one
                self._annotate.open(str(target))
            if isinstance(result, Exception) and not isinstance(result, (InputError, OSError)):
                raise result

        self._background(lambda: merge_projects(target, [other]), done)

    # ------------------------------------------------------------------ what is shown

    def _on_project(self, project: Project | None) -> None:
        if project is None:
            self._view.show_annotators((), "")
            self._view.show_second_pass("")
            self._view.show_agreement("")
            self._view.greet("")
            return
        self._show(project)
        self._show_second_pass(project)
        self._view.greet(WHAT_IS_RECORDED.format(project.annotator) if self._annotate.is_newcomer else "")

    def _show(self, project: Project) -> None:
        names = project.people()
        everybody = list(dict.fromkeys([*project.annotators(), project.annotator]))
        self._view.show_annotators([AnnotatorRow(one, names.get(one, "")) for one in everybody], project.annotator)

    def _show_second_pass(self, project: Project) -> None:
        def count() -> tuple[int, int]:
            done, chosen = (project.count_images(ImageFilter(second_pass=state)) for state in ("done", "chosen"))
            return done, done + chosen

        def counted(result: Any) -> None:
            if self._annotate.project is project and isinstance(result, tuple):
                done, total = result
                self._view.show_second_pass(f"{done:,} of {total:,} images done" if total else "no image is chosen")

        self._background(count, counted)


def agreement_words(second: Agreement, gold: Agreement) -> str:
    """Two comparisons as sentences."""
    lines = [_comparison("Second opinion", second, "the same"), _comparison("Known answers", gold, "right")]
    return "\n".join(line for line in lines if line) or "There is no second opinion and no known answer to compare yet."


def _comparison(title: str, found: Agreement, verb: str) -> str:
    parts = []
    if found.answers:
        kappa = "κ undefined" if found.kappa is None else f"κ {found.kappa:.2f}"
        parts.append(f"{found.same:,} of {found.answers:,} answers {verb} ({100 * (found.share or 0):.0f} %, {kappa})")
    if found.clicks:
        parts.append(f"{found.clicks:,} pairs of clicks, median {found.median_distance:.1f} px apart")
    if found.unmatched:
        parts.append(f"{found.unmatched:,} clicks without a partner")
    return f"{title}: {'; '.join(parts)}." if parts else ""


def joining_words(report: MergeReport) -> str:
    """What joining brought, with the number of each kind of conflict."""
    if not report.events and not report.images:
        return "Nothing new: this copy was joined already."
    kinds = [(sum(one["what"] == what for one in report.conflicts), words) for what, words in _CONFLICTS.items()]
    more = [f"{count:,} {words}" for count, words in kinds if count]
    people = f"{len(report.annotators)} annotators" if len(report.annotators) != 1 else "1 annotator"
    text = f"Joined: {report.events:,} new events, {report.images:,} new images, {people}."
    return f"{text} {'; '.join(more)}." if more else f"{text} No conflicts."
