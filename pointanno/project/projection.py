"""From events to the current state, and back.

`Projection.apply` changes the tables as one event asks and returns what they held before; `Projection.revert` puts
that back. Undo happens in the reverse order of doing, so what an event found is exactly what must be there again.
What each kind of event does is in `pointanno.project.effects`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pointanno.project.changes import Change, Entry
from pointanno.project.effects import HANDLERS
from pointanno.project.parts import PartReader

if TYPE_CHECKING:
    from pointanno.project.store import Store

__all__ = ["Entry", "Projection"]


class Projection:
    """The current state of a project as tables."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._updates: dict[tuple[str, ...], Any] = {}
        self.parts = PartReader(store)

    def apply(self, entry: Entry) -> list[list[Any]]:
        """Change the tables as the event asks; `entry.payload` is completed in place.

        Returns
        -------
        list
            What `revert` needs; plain enough for JSON.

        Raises
        ------
        InputError
            If the event does not fit the state, naming kind and field. The caller rolls back.
        """
        self.parts.forget_aliases()
        if entry.kind == "import":
            return self.parts.add(entry.seq, entry.payload)
        change = Change(self._store, entry, self.parts, self._updates)
        try:
            HANDLERS[entry.kind](change)
            change.finish()
        finally:
            if entry.kind.startswith("categor"):
                self.parts.forget_aliases()
        return change.before

    def revert(self, entry: Entry, before: list[list[Any]]) -> None:
        """Undo `apply`; the state must be the one that it left."""
        if entry.kind == "import":
            self.parts.remove(entry.seq, before)
        else:
            Change(self._store, entry, self.parts, self._updates).revert(before)
        self.parts.forget_aliases()
