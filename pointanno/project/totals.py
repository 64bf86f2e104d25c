"""Counts over all images, kept up to date with every event: a large project is counted once, when it is opened.

They live in the memory of the connection that writes, as a table of one row beside the file. Triggers on `images`
change it in the transaction that changes an image, so a rollback takes both back. Who only reads counts anew each
time, because somebody else may be writing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import column, select, table, text

from pointanno.project.layers import STATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.sql import ClauseElement

    from pointanno.project.store import Store

_COUNTED: Mapping[str, str] = {
    "images": "1",
    **{name: f"(@state = {number})" for name, number in STATES.items()},
    **{name: f"@{name}" for name in ("clicks", "boxes", "answers")},
    **{name: f"(@{name} > 0)" for name in ("unsure", "fast", "later")},
    "flagged": "(@flags > 0)",
    "disagreement": "(@disagreements > 0)",
    "second_pass": "(@second > 0)",
}
"""What an image adds to each count; @ stands for its row."""

_TOTALS = table("image_totals", *[column(name) for name in _COUNTED])
_READ = select(_TOTALS)
_COLUMNS = sorted({part.split()[0].strip("()@") for part in _COUNTED.values() if "@" in part})


def _sum(name: str) -> str:
    return f"coalesce(sum({_COUNTED[name].replace('@', '')}), 0) as {name}"


_COUNT_TEXT = f"select {', '.join(map(_sum, _COUNTED))} from images"
_COUNT: ClauseElement = text(_COUNT_TEXT)


def _step(sign: str, row: str) -> Mapping[str, str]:
    return {name: f" {sign} {part.replace('@', f'{row}.')}" for name, part in _COUNTED.items()}


def _trigger(event: str, *steps: Mapping[str, str]) -> str:
    """A trigger that adds what an image counts now and takes away what it counted before."""
    changes = ", ".join(f"{name} = {name}{''.join(step[name] for step in steps)}" for name in _COUNTED)
    name = f"image_totals_{event.split()[0]}"
    return f"create temp trigger {name} after {event} on main.images begin update image_totals set {changes}; end"


_MAKE = (
    f"create temp table image_totals as {_COUNT_TEXT}",
    _trigger("insert", _step("+", "new")),
    _trigger("delete", _step("-", "old")),
    _trigger(f"update of {', '.join(_COLUMNS)}", _step("+", "new"), _step("-", "old")),
)


class Totals:
    """The counts of one open project.

    Parameters
    ----------
    store : open project file
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._is_kept = False

    def read(self) -> dict[str, int]:
        """The counts as they are now."""
        with self._store.lock, self._store.guarded():
            if not self._is_kept:
                if not self._store.writable or self._store.raw.in_transaction:
                    return self._row(_COUNT)
                for sql in _MAKE:
                    self._store.execute_text(sql)
                self._is_kept = True
            return self._row(_READ)

    def _row(self, query: ClauseElement) -> dict[str, int]:
        row = self._store.execute(query).fetchone()
        return {name: int(value) for name, value in zip(_COUNTED, row, strict=True)}
