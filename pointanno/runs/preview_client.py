"""The window's end of the preview: asks a child process for predictions and never waits for it."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from pointanno.runs.folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

PREVIEW = "pointanno_models.engine.preview"
"""By name: the core does not import the engine."""

_CLOSING_S = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class PreviewReply:
    """A prediction for one picture, or the reason why there is none.

    Attributes
    ----------
    image_id : int
        As in the request.
    checkpoint_id : str
        Changes with every new checkpoint; empty with an error.
    labels : (H, W) uint16
        Ids 1..N of the segments, 0 for void.
    segments : list of dict
        `id`, `category_id`, `isthing`, `score`, `area`.
    error : str
        A sentence, empty if all is well.
    """

    image_id: int
    checkpoint_id: str = ""
    labels: NDArray[np.uint16] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.uint16))
    segments: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Request:
    number: int
    run: Path
    image: Path
    image_id: int
    checkpoint: str

    def line(self) -> bytes:
        return (
            orjson.dumps(
                {
                    "kind": "predict",
                    "request": self.number,
                    "run": str(self.run),
                    "image": str(self.image),
                    "image_id": self.image_id,
                    "checkpoint": self.checkpoint,
                }
            )
            + b"\n"
        )


class PreviewClient:
    """Newest request wins: one is in flight, one waits, older ones are dropped, and so are their answers.

    All methods return at once; the child is started by the first request in a thread of its own.

    Parameters
    ----------
    run : RunFolder, path or None
        Whose checkpoints to use; `set_run` changes it.
    on_reply : function without arguments, optional
        Called from another thread when `poll` has something.
    idle_unload_s : float, seconds
        Without a request for so long, the child gives the memory of the model back.
    """

    def __init__(
        self,
        run: RunFolder | Path | None = None,
        *,
        device: str = "auto",
        least_score: float = 0.5,
        on_reply: Callable[[], None] | None = None,
        idle_unload_s: float = 300.0,
    ) -> None:
        self._run: Path | None = None
        self.set_run(run)
        self._options = ["--device", device, "--least-score", str(least_score)]
        self._on_reply = on_reply
        self._idle_unload_s = idle_unload_s
        self._numbers = itertools.count(1)
        # all of the following is guarded by the lock of the condition
        self._changed = threading.Condition()
        self._waiting: _Request | None = None
        self._newest = 0
        self._reply: PreviewReply | None = None
        self._is_unload_asked = False
        self._is_closed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    def set_run(self, run: RunFolder | Path | None) -> None:
        """Use the checkpoints of another run from the next request on."""
        self._run = run.path if isinstance(run, RunFolder) else None if run is None else Path(run).absolute()

    def request(self, image: Path | str, image_id: int, checkpoint: str = "best") -> None:
        """Ask for the prediction of a picture; whatever was asked for before is forgotten."""
        with self._changed:
            self._newest = next(self._numbers)
            self._reply = None
            if self._run is None:
                self._put(PreviewReply(image_id=image_id, error="there is no training run to take a preview from"))
                return
            self._waiting = _Request(self._newest, self._run, Path(image).absolute(), image_id, checkpoint)
            if self._thread is None and not self._is_closed:
                self._thread = threading.Thread(target=self._serve, name="pointanno preview", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def poll(self) -> PreviewReply | None:
        """The answer to the newest request, once, or None while there is none."""
        with self._changed:
            reply, self._reply = self._reply, None
            return reply

    def cancel(self) -> None:
        """Forget all requests; answers that are under way are dropped."""
        with self._changed:
            self._newest, self._waiting, self._reply = next(self._numbers), None, None

    def unload(self) -> None:
        """Ask the child to give the memory of the model back; the next request loads it again."""
        with self._changed:
            self._is_unload_asked = self._process is not None
            self._changed.notify_all()

    @property
    def pid(self) -> int | None:
        """The child process, None if none runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def close(self, *, wait: bool = False) -> None:
        """End the child; with `wait` only return when it is gone (at most a few seconds)."""
        with self._changed:
            self._is_closed, self._waiting, self._reply = True, None, None
            self._newest = next(self._numbers)
            process, thread = self._process, self._thread
            self._changed.notify_all()
        if process is not None and process.poll() is None:
            process.terminate()
        if wait and thread is not None:
            thread.join(2 * _CLOSING_S)

    def __enter__(self) -> PreviewClient:
        return self

    def __exit__(self, *error: object) -> None:
        self.close(wait=True)

    # everything below runs in the thread

    def _serve(self) -> None:
        is_loaded = False
        while True:
            with self._changed:
                is_awake = self._changed.wait_for(
                    lambda: self._is_closed or self._waiting or self._is_unload_asked,
                    timeout=self._idle_unload_s if is_loaded else None,
                )
                if self._is_closed:
                    break
                self._is_unload_asked = self._is_unload_asked or not is_awake
                request, self._waiting = self._waiting, None
                is_unload, self._is_unload_asked = self._is_unload_asked, False
            is_loaded = request is not None
            try:
                if request is not None:
                    self._deliver(request, self._exchange(request.line()))
                elif is_unload and self._process is not None:
                    self._exchange(b'{"kind":"unload"}\n')
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                self._end_process()
                sentence = f"the preview process ended unexpectedly ({error}); it starts again with the next picture"
                if request is not None:
                    self._deliver(request, {"kind": "error", "message": sentence})
        self._end_process()

    def _exchange(self, line: bytes) -> dict[str, Any]:
        """Send a line to the child, started if need be, and wait for its answer."""
        process = self._process
        if process is None or process.poll() is not None:
            self._end_process()
            process = self._start_process()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line)
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            raise OSError(f"exit code {process.wait(_CLOSING_S)}")
        reply: dict[str, Any] = orjson.loads(answer)
        if reply["kind"] == "prediction":
            reply["labels"] = _copy_labels(reply["memory"], tuple(reply["shape"]))
            process.stdin.write(b'{"kind":"release"}\n')
            process.stdin.flush()
        return reply

    def _start_process(self) -> subprocess.Popen[bytes]:
        log: int | Any = subprocess.DEVNULL
        if self._run is not None:
            try:
                log = (self._run / "preview" / "log.txt").open("ab")
            except OSError:  # a run on a read-only disk can be looked at all the same
                log = subprocess.DEVNULL
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", PREVIEW, *self._options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        finally:
            if not isinstance(log, int):
                log.close()
        with self._changed:
            self._process = process
            if self._is_closed:
                process.terminate()
        return process

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except OSError:  # what was left to flush does not matter any more
                pass
        try:
            process.wait(_CLOSING_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _deliver(self, request: _Request, reply: dict[str, Any]) -> None:
        """Keep an answer, unless something newer was asked for."""
        if reply["kind"] == "error":
            made = PreviewReply(image_id=request.image_id, error=str(reply["message"]))
        else:
            made = PreviewReply(
                image_id=request.image_id,
                checkpoint_id=reply["checkpoint_id"],
                labels=reply["labels"],
                segments=reply["segments"],
                seconds=reply["seconds"],
            )
        with self._changed:
            if request.number == self._newest and not self._is_closed:
                self._put(made)

    def _put(self, reply: PreviewReply) -> None:
        self._reply = reply
        if self._on_reply is not None:
            self._on_reply()


def _copy_labels(name: str, shape: tuple[int, ...]) -> NDArray[np.uint16]:
    """Copy a label image out of the memory that the child owns."""
    memory = _attach(name)
    try:
        shared: NDArray[np.uint16] = np.ndarray(shape, dtype=np.uint16, buffer=memory.buf)
        labels = shared.copy()
        del shared  # the buffer cannot be closed while a view exists
        return labels
    finally:
        memory.close()


def _attach(name: str) -> SharedMemory:
    """Open shared memory without becoming responsible for it."""
    if sys.version_info >= (3, 13):
        return SharedMemory(name, track=False)
    memory = SharedMemory(name)
    if sys.platform != "win32":
        # before 3.13 whoever attaches is taken for an owner, and would remove it when it exits
        from multiprocessing import resource_tracker

        resource_tracker.unregister(memory._name, "shared_memory")  # type: ignore[attr-defined]
    return memory
