"""Decoded pictures at hand: the one shown and its neighbours, read ahead in a thread."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pointanno.images import read_image

KEPT = 4


class ImageCache:
    """Reads pictures, a few at a time, newest kept."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pointanno-read")
        self._futures: OrderedDict[Path, Future[NDArray[Any]]] = OrderedDict()

    def read(self, path: Path) -> NDArray[Any]:
        """The picture, waiting for it if it is still being read.

        Raises
        ------
        InputError
            If it cannot be read; it is tried anew the next time.
        """
        future = self._ask(path)
        try:
            return future.result()
        except Exception:
            self._futures.pop(path, None)
            raise

    def prefetch(self, path: Path) -> None:
        """Read a picture soon; errors wait until somebody wants it."""
        self._ask(path)

    def close(self) -> None:
        """Forget everything."""
        self._futures.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, path: Path) -> Future[NDArray[Any]]:
        future = self._futures.get(path)
        if future is None:
            future = self._futures[path] = self._pool.submit(read_image, path)
        self._futures.move_to_end(path)
        while len(self._futures) > KEPT:
            self._futures.popitem(last=False)[1].cancel()
        return future
