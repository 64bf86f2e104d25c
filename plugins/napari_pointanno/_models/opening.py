"""A project on its way: how far its making is, and whether somebody has given it up."""

from __future__ import annotations


class Cancelled(Exception):
    """The person does not want it any more."""


class OpeningJob:
    """Written by the thread that works, read by the window; plain numbers, so no lock is needed.

    Parameters
    ----------
    title : what is done, for the person
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.done = 0
        self.total = 0
        self.is_cancelled = False

    def progress(self, done: int, total: int) -> None:
        """Take down how far it is.

        Raises
        ------
        Cancelled
            If it was given up; whoever works stops then and leaves nothing behind.
        """
        self.done, self.total = done, total
        if self.is_cancelled:
            raise Cancelled

    def cancel(self) -> None:
        """Give it up."""
        self.is_cancelled = True

    def text(self) -> str:
        """Where it is: "looking at pictures 1,200/40,000"."""
        if self.is_cancelled:
            return "stopping …"
        if not self.total:
            return f"{self.title} …"
        return f"{self.title}: {self.done:,} of {self.total:,} pictures"
