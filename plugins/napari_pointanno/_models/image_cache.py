"""Pictures at hand: the one shown and its neighbours, read ahead in a thread."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from napari_pointanno._models.shown_picture import ShownPicture

KEPT, KEPT_BYTES = 4, 384 * 2**20


class ImageCache:
    """Reads pictures, a few at a time, newest kept; of large ones fewer, but always the one that was read last."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pointanno-read")
        self._futures: OrderedDict[Path, Future[ShownPicture]] = OrderedDict()
        self._last: Path | None = None

    def read(self, path: Path) -> ShownPicture:
        """The picture, waiting for it if it is still being read.

        Raises
        ------
        InputError
            If it cannot be read; it is tried anew the next time.
        """
        self._last = path
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
        for future in self._futures.values():
            _let_go(future)
        self._futures.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, path: Path) -> Future[ShownPicture]:
        future = self._futures.get(path)
        if future is None:
            future = self._futures[path] = self._pool.submit(ShownPicture.open, path)
        self._futures.move_to_end(path)
        while len(self._futures) > KEPT or (len(self._futures) > 1 and self._held() > KEPT_BYTES):
            oldest = next((one for one in self._futures if one not in (self._last, path)), None)
            if oldest is None:
                break
            _let_go(self._futures.pop(oldest))
        return future

    def _held(self) -> int:
        """Bytes of what is read so far."""
        ready = (future for future in self._futures.values() if future.done() and not future.cancelled())
        return sum(future.result().nbytes for future in ready if future.exception() is None)


def _let_go(future: Future[ShownPicture]) -> None:
    """Give back what a reader opened, or will have opened when it is done."""
    if not future.cancel():
        future.add_done_callback(lambda done: None if done.exception() is not None else done.result().close())
