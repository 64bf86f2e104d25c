"""Let the memory of large arrays go back to the system when they are freed."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache

_MMAP_THRESHOLD = -3
"""M_MMAP_THRESHOLD of glibc's malloc.h."""

LARGE_BLOCK = 2**20


@cache
def return_large_blocks() -> bool:
    """Have glibc map every block from one megabyte on by itself; True if it does from now on.

    glibc raises that limit by itself, up to 32 MB, as soon as such a block was freed once. Pictures of all sizes then
    share the heaps of the threads that read them, holes remain, and the window grew by two thirds within 400 pictures.
    Whoever has set the limit by its environment variable keeps it.
    """
    if not sys.platform.startswith("linux") or "MALLOC_MMAP_THRESHOLD_" in os.environ:
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return bool(mallopt(_MMAP_THRESHOLD, LARGE_BLOCK))
