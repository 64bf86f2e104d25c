"""The plan of a study in a project, and how far everybody is with it: from the journal alone.

The plan is an event (`study_plan`), so copies of the project carry it and joining keeps it; the last one counts. What
somebody did is told by the events `study_start`, `block_start` and `study_end` of the window and by what was recorded
between them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import or_, select

from pointanno.errors import InputError
from pointanno.project.journal import to_event
from pointanno.project.schema import events, images
from pointanno.protocols.study_order import shuffled
from pointanno.protocols.study_plan import StudyPlan, parse_plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pointanno.project.project import Project
    from pointanno.project.records import Event, ImageAnnotations
    from pointanno.protocols.study_plan import Schedule

_PLANS = select(events.c.uuid, events.c.payload).where(events.c.kind == "study_plan").order_by(events.c.seq)

_KINDS = "study_start study_end block_start session_end undo redo complete skip extreme box click mask".split()
_TELLING = select(events).where(or_(*(events.c.kind == kind for kind in _KINDS))).order_by(events.c.seq)
"""Events of the kinds that `Progress` learns from."""

_WITH_OTHERS = select(images.c.id, images.c.file_name).where(images.c.others > 0)
"""Images with anything in another layer than the main one."""

MADE = frozenset({"box", "click", "mask"})
"""Kinds that make an object, which then belongs to the part of the study in which it was made."""


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan and the uuid of its event, by which runs name it."""

    uuid: str
    plan: StudyPlan


def store_plan(project: Project, plan: StudyPlan, *, replace_begun: bool = False) -> StoredPlan:
    """Write a plan down; from here on it is the plan of the project.

    Raises
    ------
    InputError
        If images of the plan are not in the project, or somebody has begun with another plan.
    """
    image_ids(project, plan)
    try:
        before = stored_plan(project)
    except InputError as error:
        if not replace_begun:
            raise InputError(f"{error}, or say --replace with a new one") from None
        before = None
    if before is not None and before.plan == plan:
        return before
    if before is not None and not replace_begun:
        begun = progress_of(project, before.uuid)
        if begun.people:
            raise InputError(
                f"{project.path}: {len(begun.people)} people have begun with the study {before.plan.name!r}. To plan "
                "another one, say --replace; what they did is kept"
            )
    return StoredPlan(project.record("study_plan", plan.as_payload()).uuid, plan)


def stored_plan(project: Project) -> StoredPlan | None:
    """The plan of a project, None if it has none."""
    rows = project.store.rows(_PLANS)
    if not rows:
        return None
    return StoredPlan(rows[-1]["uuid"], parse_plan(orjson.loads(rows[-1]["payload"]), file=f"{project.path}, study"))


def image_ids(project: Project, plan: StudyPlan) -> dict[str, int]:
    """Ids of the images of a plan by file name.

    Raises
    ------
    InputError
        If the project lacks one of them.
    """
    there = {image.file_name: image.id for image in project.images()}
    missing = [name for name in (*plan.images, *plan.practice) if name not in there]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError(
            f"study {plan.name}: the project {project.path} has no image {missing[0]!r}{more}. Add it, or name others"
        )
    return {name: there[name] for name in (*plan.images, *plan.practice)}


def complete_plan(
    project: Project,
    values: Mapping[str, Any],
    *,
    per_block: int | None = None,
    practice_per_block: int | None = None,
    gold_share: float | None = None,
    file: str = "study plan",
) -> StudyPlan:
    """A plan whose images were left open, with images of the project, chosen by the seed.

    Parameters
    ----------
    project : Project
    values : fields of `StudyPlan`; `images`, `practice` and `gold` that are given are kept
    per_block : measured images of each block; None takes all that are not for practice
    practice_per_block : images to practise on before each block
    gold_share : share of the measured images that carry known answers; None takes those that happen to be among them
    file : for sentences

    Raises
    ------
    InputError
        If the project has too few images, or too few with known answers, or the plan is wrong.
    """
    found = dict(values)
    seed, name = found.get("seed", 0), found.get("name", "study")
    conditions = found.get("conditions") or ()
    blocks = 1 if found.get("again") else max(len(conditions), 1)
    names = [image.file_name for image in project.images() if image.skipped is None]
    known = _with_known_answers(project)
    if "images" not in found:
        pool = shuffled(set(names) - set(found.get("practice", ())), seed, name, "pool")
        if "practice" not in found:
            wanted = (practice_per_block or 0) * blocks
            # practice is where known answers are of most use: they tell at once what is right
            first = sorted(pool, key=lambda one: one not in known)[:wanted]
            if len(first) < wanted:
                raise InputError(f"--practice: the project has {len(pool)} images, expected {wanted} to practise on")
            found["practice"] = tuple(first)
            pool = tuple(one for one in pool if one not in set(first))
        count = len(pool) if per_block is None else per_block * blocks
        if count > len(pool) or not pool:
            raise InputError(
                f"--images-per-block: {blocks} blocks of {per_block or 1} images need {max(count, blocks)} images, "
                f"the project has {len(pool)} left. Ask for fewer"
            )
        marked = 0 if gold_share is None else round(gold_share * count)
        gold = tuple(one for one in pool if one in known)
        if gold_share is not None:
            if len(gold) < marked:
                raise InputError(
                    f"--gold-share: {marked} images with known answers are wanted, the project has {len(gold)} to "
                    "spare. Import more by `pointanno import --gold`, or ask for a smaller share"
                )
            plain = tuple(one for one in pool if one not in known)
            if len(plain) < count - marked:
                raise InputError(
                    f"--gold-share: {count - marked} images without known answers are wanted, the project has "
                    f"{len(plain)}. Ask for a larger share"
                )
            gold = gold[:marked]
            pool = shuffled((*gold, *plain[: count - marked]), seed, name, "pool")
        found["images"] = pool[:count]
        found.setdefault("gold", tuple(one for one in found["images"] if one in set(gold)))
    elif gold_share is not None or per_block is not None or practice_per_block is not None:
        raise InputError(f"{file}, images: they are named, so no share and no number of them can be asked for as well")
    return parse_plan(found, file=file)


def _with_known_answers(project: Project) -> frozenset[str]:
    """File names of the images with known answers."""
    found = set()
    for row in project.store.rows(_WITH_OTHERS):
        known = project.annotations(row["id"], layer="gold")
        if known.boxes or known.clicks:
            found.add(str(row["file_name"]))
    return frozenset(found)


# how far everybody is -----------------------------------------------------------------------------------------------


def progress_of(project: Project, plan_uuid: str) -> Progress:
    """How far everybody is with a plan; reads only what bears upon it, which is little of a long journal."""
    progress = Progress(plan_uuid)
    progress.take(to_event(row) for row in project.store.rows(_TELLING))
    return progress


@dataclass(slots=True)
class Part:
    """What one person did in the practice or the measured part of one block.

    Attributes
    ----------
    first_seq : number of the event that began it first
    done : images that were finished, by the event that says so
    made : uids of the objects that were made in it
    begun : images on which an object was begun by extreme points
    """

    first_seq: int
    done: dict[str, int | None] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    begun: set[int | None] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Place:
    """Which part of which block."""

    participant: int
    block: int | None = None
    practice: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What comes next for somebody: an image of a part of a block."""

    block: int
    practice: bool
    image_id: int
    number: int
    """0-based place of the image in its part."""
    total: int


class Progress:
    """Follows the journal of a project, event by event.

    Parameters
    ----------
    plan_uuid : the plan whose runs are followed
    """

    def __init__(self, plan_uuid: str) -> None:
        self._plan = plan_uuid
        self._at: dict[int | None, Place] = {}
        self._undone: set[str] = set()
        self._drawn: set[str] = set()
        """Boxes that somebody made, in a study or not; all others came with a file."""
        self.last_seq = 0
        self.people: dict[int, str] = {}
        """Pseudonym of each participant who has begun, by number; the one who began first, if there are several."""
        self.parts: dict[Place, Part] = {}

    def take(self, journal: Iterable[Event]) -> None:
        """Learn from further events, in their order."""
        for event in journal:
            self._take(event)
            self.last_seq = event.seq

    def _take(self, event: Event) -> None:
        kind, payload, session = event.kind, event.payload, event.session
        if kind in ("box", "mask"):
            self._drawn.add(str(payload["uid"]))
        if kind == "study_start" and payload.get("plan") == self._plan:
            number = int(payload["participant"])
            self.people.setdefault(number, str(payload.get("annotator") or ""))
            self._at[session] = Place(number)
        elif kind in ("study_end", "session_end"):
            self._at.pop(session, None)
        elif kind == "undo":
            self._undone.add(str(payload["uuid"]))
        elif kind == "redo":
            self._undone.discard(str(payload["uuid"]))
        elif session in self._at:
            self._work(event, self._at[session])

    def _work(self, event: Event, place: Place) -> None:
        """An event of somebody who takes part."""
        kind, payload = event.kind, event.payload
        if kind == "block_start":
            place = replace(place, block=int(payload["block"]), practice=bool(payload.get("practice")))
            self._at[event.session] = place
            self.parts.setdefault(place, Part(event.seq))
            return
        part = self.parts.get(place)
        if part is None:
            return
        if kind in MADE:
            part.made.add(str(payload["uid"]))
        elif kind == "extreme":
            part.begun.add(event.image_id)
        elif kind == "skip" or (kind == "complete" and any(map(payload.get, ("things", "stuff")))):
            part.done[event.uuid] = event.image_id

    def done(self, place: Place) -> frozenset[int | None]:
        """Images that stand as finished in a part."""
        part = self.parts.get(place)
        return frozenset(image_id for uuid, image_id in (part.done.items() if part else ()) if uuid not in self._undone)

    def owns(self, event: Event, place: Place) -> bool:
        """Whether an event was recorded in this part, by whoever has this place: what may be undone in it."""
        part = self.parts.get(place)
        if part is None or event.seq <= part.first_seq:
            return False
        if event.uuid in part.done or str(event.payload.get("uid", "")) in part.made:
            return True
        return event.session in self._at and self._at[event.session] == place

    def next_step(self, schedule: Schedule, ids: Mapping[str, int]) -> Step | None:
        """The first image that is not finished; None at the end."""
        for block in schedule.blocks:
            for practice in (True, False):
                names: Sequence[str] = block.part(practice)
                done = self.done(Place(schedule.participant, block.number, practice))
                for number, name in enumerate(names):
                    if ids[name] not in done:
                        return Step(block.number, practice, ids[name], number, len(names))
        return None

    def finished_images(self, schedule: Schedule) -> int:
        """How many measured images somebody has finished."""
        return sum(len(self.done(Place(schedule.participant, block.number))) for block in schedule.blocks)

    def only_own(self, annotations: ImageAnnotations, place: Place, *, given: bool = False) -> ImageAnnotations:
        """What was made in a part, without a trace of what others did or the same person did elsewhere.

        Parameters
        ----------
        annotations : of an image
        place : Place
        given : whether boxes of a file are to be seen, since they are asked about
        """
        part = self.parts.get(place)
        made = part.made if part is not None else frozenset[str]()
        return replace(
            annotations,
            clicks=tuple(click for click in annotations.clicks if click.uid in made),
            boxes=tuple(box for box in annotations.boxes if box.uid in made or (given and box.uid not in self._drawn)),
            extremes=annotations.extremes if part is not None and annotations.image_id in part.begun else (),
            complete=None,
            absent_category_ids=(),
            flags=(),
            reviews=(),
        )
