"""Keeps `None`, `True` and `False` alive where the Qt binding gives them away.

PySide6 6.12 is built as if these three could not be freed, which is so from Python 3.12 on. Under 3.11 every
Qt method without a result takes one reference from `None`, and every emitted signal one from `True`, so that
a window ends with "Fatal Python error: none_dealloc" after some hundred thousand calls: minutes of work. The
cure is to hold so many references that they never run out.
"""

from __future__ import annotations

import ctypes
import sys

MANY = 1 << 40
"""More calls than a window can live through; each counter has 63 bits."""


def is_needed() -> bool:
    """Whether this interpreter counts references of its singletons."""
    return sys.implementation.name == "cpython" and sys.version_info < (3, 12)


def guard_singletons() -> None:
    """Hold many references to the three singletons; a second call changes nothing."""
    if not is_needed():
        return
    for singleton in (None, True, False):
        if sys.getrefcount(singleton) < MANY // 2:
            # the reference count is the first field of every object
            count = ctypes.c_ssize_t.from_address(id(singleton))
            count.value += MANY
