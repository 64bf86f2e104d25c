"""The journal as the timing reads it: one list of moments a session, in the order in which they happened.

The journal is ordered by when things were written; a click, for instance, is written at its release and carries the
time of its press. Here every event stands at the time of the input or of the frame that it tells of.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.timing.raw_checks import check_times

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pointanno.project import Event, Project

MS = 1_000_000
"""Nanoseconds of a millisecond."""

LATE_NS = 10 * MS
"""An input that reached the window so much later than others did is timed by the window system's own stamp."""

NOISE_NS = 2 * MS
"""Stamps are whole milliseconds, and an input that nothing holds up still takes a moment."""

AT_CREATION = "create"
"""Source of the events that make a project: nobody's input."""

DRIFT_NS = 100_000 * MS
"""How far apart the two clocks are compared: in so short a time clocks drift by a few milliseconds at most."""

STAMP_TURNS = 2**32
"""Milliseconds after which the window system's stamps begin anew."""

MACHINE_MADE = frozenset(
    """
    session_start session_end clock_anchor images_relocated image_load_start image_shown item_shown point_shown
    suspend ui_stall idle_start idle_end suggestion_shown block_start study_start study_end import
    """.split()
)
"""Kinds that no hand made: they do not tell that somebody is there."""

BURSTS = frozenset({"wheel", "pan", "pointer"})
"""Kinds that tell of many inputs at once, from `since_ns` to the time of the event."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An event at the time that counts.

    Attributes
    ----------
    t : int, ns of the session's clock
        When the finger moved, or the frame was on the screen.
    delay : int, ns
        By how much later than others the input reached the window; 0 where that is not known.
    is_late : whether `t` was taken from the stamp of the window system therefore
    held_up : int or None
        When an input was made that something held up on its way; of a click its release. None for all others.
    """

    t: int
    event: Event
    delay: int = 0
    is_late: bool = False
    held_up: int | None = None

    @property
    def is_input(self) -> bool:
        """Whether a person did this; what a held key repeats is nobody's doing."""
        return self.event.kind not in MACHINE_MADE and not (self.event.timing or {}).get("repeat")


@dataclass(frozen=True, slots=True)
class SessionLog:
    """One session of one person.

    Attributes
    ----------
    number : of the project
    annotator : pseudonym
    moments : in order of time, then of writing
    """

    number: int
    annotator: str
    moments: tuple[Moment, ...]

    @property
    def is_timed(self) -> bool:
        """Whether a window kept time; commands and imports write events as well, at no known pace."""
        return any(one.event.kind in ("session_start", "image_shown") for one in self.moments)

    @property
    def start(self) -> int:
        """Nanoseconds of the session's clock at its first moment."""
        return self.moments[0].t

    @property
    def stop(self) -> int:
        """Nanoseconds at its last moment."""
        return self.moments[-1].t

    @property
    def is_complete(self) -> bool:
        """Whether it ended in an orderly way."""
        return any(one.event.kind == "session_end" for one in self.moments)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What `session_start` tells of versions, screen, clock and study."""
        found: dict[str, Any] = {}
        for one in self.moments:
            if one.event.kind == "session_start":
                found |= one.event.payload
        return found

    @property
    def started_utc_ns(self) -> int:
        """The wall clock at its first written event; only ever shown."""
        return min(self.moments, key=lambda one: one.event.seq).event.t_wall


@dataclass(frozen=True, slots=True)
class Thing:
    """What is known of an object.

    Attributes
    ----------
    category_id : its class
    size : (width, height) of its box in pixels, None where it has none
    points : how many points are asked about
    layer : "main", "second" or "gold"
    copy_of : uid of the box of which it asks a second time
    answers : what stands there without an event of its own: imported answers, known ones
    """

    category_id: int
    size: tuple[float, float] | None = None
    points: int = 0
    layer: str = "main"
    copy_of: str | None = None
    answers: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Log:
    """Everything the timing is computed from.

    Attributes
    ----------
    sessions : by number, those without a clock included
    events : of the whole journal that bear upon what counts in the end (undo, redo, resample, delete), in its order
    things : objects that came with an import, by image and uid
    stuff : ids of the classes of which an image holds one region at most
    """

    sessions: tuple[SessionLog, ...]
    events: tuple[Event, ...]
    things: Mapping[tuple[int | None, str], Thing] = field(default_factory=dict)
    stuff: frozenset[int] = frozenset()


def make_log(
    events: Iterable[Event],
    annotators: Mapping[int, str],
    things: Mapping[tuple[int | None, str], Thing] | None = None,
    stuff: Iterable[int] = (),
) -> Log:
    """A log of events in the order of the journal.

    Parameters
    ----------
    events : of a whole journal
    annotators : pseudonyms by number of the session; "" where none is known
    things, stuff : see `Log`
    """
    by_session: dict[int, list[Event]] = {}
    turning: list[Event] = []
    for event in events:
        if event.kind in ("undo", "redo", "resample", "delete"):
            turning.append(event)
        if event.session is not None and event.source != AT_CREATION:
            by_session.setdefault(event.session, []).append(event)
    sessions = [
        SessionLog(number, annotators.get(number, ""), tuple(moments_of(by_session[number])))
        for number in sorted(by_session)
    ]
    return Log(tuple(sessions), tuple(turning), things or {}, frozenset(stuff))


def read_log(project: Project) -> Log:
    """The log of a project, with what is known of imported objects.

    Raises
    ------
    InputError
        If a time of an event is none.
    """
    events = list(project.events())
    for event in events:
        check_times(event)
    made = {(e.image_id, str(e.payload.get("uid"))) for e in events if e.kind in ("box", "click", "mask")}
    named = {(e.image_id, str(e.payload[key])) for e in events for key in ("uid", "copy_of") if e.payload.get(key)}
    things: dict[tuple[int | None, str], Thing] = {}
    for image_id in sorted({image_id for image_id, _ in named - made if image_id is not None}):
        for layer in ("main", "second", "gold"):
            found = project.annotations(image_id, layer=layer)
            for box in found.boxes:
                if (image_id, box.uid) in made:
                    continue
                x0, y0, x1, y1 = box.box.xyxy
                things[image_id, box.uid] = Thing(
                    box.category_id, (x1 - x0, y1 - y0), len(box.point_coords), layer, box.copy_of, box.answers
                )
            for click in found.clicks:
                if (image_id, click.uid) not in made:
                    things[image_id, click.uid] = Thing(click.category_id, layer=layer)
    stuff = [category.id for category in project.categories() if not category.isthing]
    return make_log(events, session_annotators(project), things, stuff)


def session_annotators(project: Project) -> dict[int, str]:
    """Pseudonyms by number of the session; two people of one pseudonym get different ones."""
    from sqlalchemy import select

    from pointanno.project.schema import annotators, sessions

    names: dict[int | None, str] = {}
    taken: Counter[str] = Counter()
    for row in project.store.rows(select(annotators.c.id, annotators.c.name).order_by(annotators.c.id)):
        taken[row["name"]] += 1
        names[row["id"]] = row["name"] if taken[row["name"]] == 1 else f"{row['name']} ({taken[row['name']]})"
    rows = project.store.rows(select(sessions.c.id, sessions.c.annotator))
    return {row["id"]: names.get(row["annotator"], "") for row in rows}


def moments_of(events: Sequence[Event]) -> list[Moment]:
    """Events of one session at the times that count, in their order."""
    delays = delivery_delays(events)
    found: list[Moment] = []
    of_press: dict[int, Moment] = {}
    for event, delay in zip(events, delays, strict=True):
        release = (event.timing or {}).get("release_ns")
        is_late = delay > LATE_NS and release is None
        stamped = int(event.t_mono_ns if release is None else release) - delay
        held_up = stamped if delay > NOISE_NS else None
        moment = Moment(event.t_mono_ns - delay if is_late else event.t_mono_ns, event, delay, is_late, held_up)
        if event.kind in ("press", "drag_start"):
            of_press[event.t_mono_ns] = moment
        elif release is not None:  # the stamp is that of the release; the press has its own event
            press = of_press.get(event.t_mono_ns)
            if press is not None:
                moment = Moment(press.t, event, press.delay, press.is_late, held_up)
        found.append(moment)
    found.sort(key=lambda one: (one.t, one.event.seq))
    return found


def delivery_delays(events: Sequence[Event]) -> list[int]:
    """By how much longer each input was under way to the window than the fastest one around it.

    The window system stamps an input when it happens, on a clock of its own and in whole milliseconds. What the two
    clocks differ by is not known; the smallest difference within 100 s counts as no delay.

    Returns
    -------
    list of int, ns
        0 for events without a stamp.
    """
    delays = [0] * len(events)
    stamped = [
        (index, int(event.timing["qt_ms"]), _written_ns(event))
        for index, event in enumerate(events)
        if event.timing is not None and event.timing.get("qt_ms")
    ]
    if not stamped:
        return delays
    indices, stamps_ms, at_ns = (np.array(column, dtype=np.int64) for column in zip(*stamped, strict=True))
    order = np.argsort(at_ns, kind="stable")
    indices, stamps_ms, at_ns = indices[order], stamps_ms[order], at_ns[order]
    turns = np.round((at_ns / MS - (stamps_ms - stamps_ms[0]) - at_ns[0] / MS) / STAMP_TURNS).astype(np.int64)
    offsets = at_ns - (stamps_ms + turns * STAMP_TURNS) * MS
    best = _sliding_minimum(at_ns, offsets, DRIFT_NS)
    for index, delay in zip(indices.tolist(), (offsets - best).tolist(), strict=True):
        delays[index] = delay
    return delays


def _written_ns(event: Event) -> int:
    """When the input that ended it reached the window: a release, where it has one."""
    release = (event.timing or {}).get("release_ns")
    return int(event.t_mono_ns if release is None else release)


def _sliding_minimum(at: np.ndarray, values: np.ndarray, reach: int) -> np.ndarray:
    """The smallest value no further away than `reach`; `at` ascends."""
    first = np.searchsorted(at, at - reach, side="left")
    last = np.searchsorted(at, at + reach, side="right")
    levels = [values]  # level k holds the minimum of 2**k neighbours
    while 2 ** len(levels) <= len(values):
        half = 2 ** (len(levels) - 1)
        levels.append(np.minimum(levels[-1][:-half], levels[-1][half:]))
    found = np.empty_like(values)
    for index, (a, b) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        k = (b - a).bit_length() - 1
        found[index] = min(levels[k][a], levels[k][b - 2**k])
    return found
