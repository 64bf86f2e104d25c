"""Buttons that a way of annotating has in the dock, as plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tool:
    """One button.

    Attributes
    ----------
    name : what the mode knows it by
    text : on the button
    tip : what it does, with its key
    on : whether it is pressed in; None for a button that does something and stays up
    enabled : whether it can be pressed now
    """

    name: str
    text: str
    tip: str
    on: bool | None = None
    enabled: bool = True
