"""What a session's time went into: what is excluded and why, what was idle, what was work."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from pointanno.timing.intervals import NEVER, Intervals
from pointanno.timing.log import BURSTS, MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pointanno.timing.log import Moment, SessionLog

IDLE_NS = 10_000 * MS
"""Without an input for so long the person counts as gone since the last one."""

REASONS = ("suspend", "stopped", "stall", "break", "pause", "loading", "dialog", "window", "dock")
"""Why time is excluded; where several hold at once the first one takes it.

The machine slept, the process was stopped from outside, our own code was slow; a break of the study, the clock was
paused, a picture was read, a dialog was open, another window had the keyboard, a text field in the dock had it.
"""

STATES = ("work", "idle", *REASONS)
"""What an instant of a session can be."""


@dataclass(frozen=True, slots=True)
class Split:
    """A stretch of time taken apart; nanoseconds that add up to `elapsed`.

    Attributes
    ----------
    elapsed : from start to stop on the clock
    excluded : by reason, those that occur
    idle : not excluded, but nobody was there
    """

    elapsed: int
    excluded: Mapping[str, int]
    idle: int

    @property
    def raw(self) -> int:
        """What is left after the exclusions."""
        return self.elapsed - sum(self.excluded.values())

    @property
    def trimmed(self) -> int:
        """What is left when idle time is taken off as well."""
        return self.raw - self.idle

    def __add__(self, other: Split) -> Split:
        reasons = [reason for reason in REASONS if reason in self.excluded or reason in other.excluded]
        excluded = {reason: self.excluded.get(reason, 0) + other.excluded.get(reason, 0) for reason in reasons}
        return Split(self.elapsed + other.elapsed, excluded, self.idle + other.idle)


NOTHING = Split(0, {}, 0)
"""No time at all."""


@dataclass(frozen=True, slots=True)
class SessionTime:
    """The time of one session.

    Attributes
    ----------
    start, stop : int, ns
    excluded : disjoint sets by reason
    idle : where nobody was there, disjoint from all of them
    gaps_ns : (N,) int64
        Not excluded time between successive inputs, the ends of the session included.
    slept_ns : int
        How long the machine slept; the monotonic clock of Linux does not contain it.
    """

    start: int
    stop: int
    excluded: Mapping[str, Intervals]
    idle: Intervals
    gaps_ns: NDArray[np.int64]
    slept_ns: int = 0
    _segments: list[tuple[int, int, str]] = field(init=False, repr=False)
    _stops: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found = [(start, stop, "idle") for start, stop in self.idle.pairs()]
        for reason, intervals in self.excluded.items():
            found += [(start, stop, reason) for start, stop in intervals.pairs()]
        found.sort()
        object.__setattr__(self, "_segments", found)
        object.__setattr__(self, "_stops", [stop for _, stop, _ in found])

    def split(self, start: int, stop: int) -> Split:
        """Take a stretch apart."""
        found: dict[str, int] = {}
        for index in range(bisect_right(self._stops, start), len(self._segments)):
            begin, end, state = self._segments[index]
            if begin >= stop:
                break
            found[state] = found.get(state, 0) + min(end, stop) - max(begin, start)
        idle = found.pop("idle", 0)
        return Split(stop - start, {reason: found[reason] for reason in REASONS if reason in found}, idle)

    def whole(self) -> Split:
        """The whole session taken apart."""
        return self.split(self.start, self.stop)

    def trimmed_at(self, idle_ns: int) -> int:
        """Nanoseconds of work if another time without input counted as idle."""
        return self.whole().raw - int(self.gaps_ns[self.gaps_ns >= idle_ns].sum())

    def timeline(self) -> list[tuple[int, int, str]]:
        """(start, stop, state) of the whole session, in order and without a hole."""
        found: list[tuple[int, int, str]] = []
        at = self.start
        for start, stop, state in [*self._segments, (self.stop, self.stop, "")]:
            if start > at:
                found.append((at, start, "work"))
            if state:
                found.append((start, stop, state))
            at = stop
        return found


def session_time(log: SessionLog, *, idle_ns: int = IDLE_NS) -> SessionTime:
    """What the time of a session went into.

    Parameters
    ----------
    log : session with at least one moment
    idle_ns : int
        Time without input, exclusions not counted, from which on it is idle.
    """
    whole = Intervals.of([(log.start, log.stop)])
    found = _reasons(log)
    excluded: dict[str, Intervals] = {}
    taken = NEVER
    for reason in REASONS:
        part = (found[reason] & whole) - taken
        if part.length:
            excluded[reason] = part
            taken |= part
    edges = _gaps(log)
    counted = (edges[:, 1] - edges[:, 0]) - (taken.until(edges[:, 1]) - taken.until(edges[:, 0]))
    idle = Intervals.of(map(tuple, edges[counted >= idle_ns].tolist())) - taken
    slept = sum(int(one.event.payload.get("slept_ns", 0)) for one in log.moments if one.event.kind == "suspend")
    return SessionTime(log.start, log.stop, excluded, idle, counted, slept)


def _gaps(log: SessionLog) -> NDArray[np.int64]:
    """(N, 2) times between which no input came, the session's ends included."""
    inputs = Intervals.of((start, stop + 1) for start, stop in _inputs(log.moments))
    # a lone input is one nanosecond long here, so that it is a set; its end is the same instant
    edges = np.stack([inputs.starts, inputs.stops - 1], axis=1).ravel()
    edges = np.concatenate([[log.start], np.clip(edges, log.start, log.stop), [log.stop]])
    return edges.reshape(-1, 2).astype(np.int64)


def _inputs(moments: Sequence[Moment]) -> Iterator[tuple[int, int]]:
    """First and last instant of each input, or of each burst of them."""
    for one in moments:
        if not one.is_input:
            continue
        since = int(one.event.payload.get("since_ns", one.t)) if one.event.kind in BURSTS else one.t
        yield min(since, one.t), one.t
        released = (one.event.timing or {}).get("release_ns")
        if released is not None:
            at = int(released) if one.held_up is None else one.held_up
            yield at, at


def _reasons(log: SessionLog) -> dict[str, Intervals]:
    """Excluded times by reason, not yet disjoint."""
    found: dict[str, list[tuple[int, int]]] = {reason: [] for reason in REASONS}
    opened: dict[str, int] = {}

    def begin(reason: str, t: int) -> None:
        opened.setdefault(reason, t)

    def end(reason: str, t: int) -> None:
        since = opened.pop(reason, None)
        if since is not None:
            found[reason].append((since, t))

    dialogs: set[str] = set()
    held_up = sorted(one.held_up for one in log.moments if one.held_up is not None)
    if log.facts.get("focus") is False:
        begin("window", log.start)
    for one in log.moments:
        event, t = one.event, one.t
        why = str(event.payload.get("reason", ""))
        match event.kind:
            case "image_load_start":
                begin("loading", t)
            case "image_shown":
                end("loading", t)
            case "pause":
                begin("break" if why == "break" else "pause", t)
            case "resume":
                end("break", t)
                end("pause", t)
            case "focus_lost":
                end("dock" if why != "dock" else "window", t)
                begin("dock" if why == "dock" else "window", t)
            case "focus_gained":
                end("dock", t)
                end("window", t)
            case "dialog_open":
                dialogs.add(why)
                begin("dialog", t)
            case "dialog_close":
                dialogs.discard(why)
                if not dialogs:
                    end("dialog", t)
            case "suspend":
                found["suspend"].append((int(event.payload.get("since_ns", t)), t))
            case "ui_stall":
                start, stop = t, t + stall_ns(event.payload)
                reason = "stopped" if why == "stopped" else "stall"
                found[reason].append((_worked_until(held_up, start, stop), stop))
    for reason, since in opened.items():
        found[reason].append((since, log.stop))
    return {reason: Intervals.of(pairs) for reason, pairs in found.items()}


def stall_ns(payload: Mapping[str, object]) -> int:
    """How long the window stood still, from when its heart should have beaten to when it did."""
    if "ns" in payload:
        return int(str(payload["ns"]))
    return round(float(str(payload.get("ms", 0))) * MS)


def _worked_until(held_up: Sequence[int], start: int, stop: int) -> int:
    """The last input that was made while the window stood still, and reached it afterwards: till then nobody waited."""
    index = bisect_left(held_up, stop)
    return max(start, held_up[index - 1]) if index else start
