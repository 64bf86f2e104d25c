"""How the inner loops are compiled: by numba, on first use, kept on disk where a disk can be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba

if TYPE_CHECKING:
    from collections.abc import Callable


def compiled(function: Callable[..., Any]) -> Any:
    """Compile with numba, without the interpreter's lock; the machine code is kept beside the module if possible.

    Where neither the folder of the module nor the user's cache folder can be written (an installation on a
    read-only disk, a user without a home), or the disk is full when the code is to be kept, the function is
    compiled again in each process, some seconds, and works.
    """
    try:
        dispatcher: Any = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        # numba says "no locator available" where it finds no folder that it may write
        return numba.njit(nogil=True)(function)
    cache = dispatcher._cache
    cache.load_overload = _without_trouble(cache.load_overload)
    cache.save_overload = _without_trouble(cache.save_overload)
    return dispatcher


def _without_trouble(use_disk: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, but None where the disk refuses: that nothing is kept is no reason to stop."""

    def use_disk_if_possible(*arguments: Any) -> Any:
        try:
            return use_disk(*arguments)
        except OSError:
            return None

    return use_disk_if_possible
