"""The child process that predicts for the window: ``python -m pointanno_models.engine.preview``.

Requests and replies are JSON lines on standard input and output; label images cross by shared memory.

Requests: ``{"kind": "predict", "request", "run", "image", "image_id", "checkpoint"}``,
``{"kind": "release"}`` (the last label image was copied), ``{"kind": "unload"}`` (give the memory of the
model back). Replies: ``{"kind": "prediction", "request", "image_id", "checkpoint_id", "memory", "shape",
"segments", "seconds"}``, ``{"kind": "error", "request", "image_id", "message"}``, ``{"kind": "unloaded"}``.

The process ends when its standard input closes, so it never outlives the window.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
import traceback
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import orjson

from pointanno.errors import InputError
from pointanno.runs.folder import RunFolder
from pointanno.runs.process import lower_priority

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pointanno_models.engine.prediction import LabelImage, Predictor

NICE = 5
"""Between the window and a training."""


class PreviewServer:
    """Keeps one network warm and answers one request after the other."""

    def __init__(self, replies: IO[bytes], device: str = "auto", least_score: float = 0.5) -> None:
        self._replies = replies
        self._device = device
        self._least_score = least_score
        self._predictor: Predictor | None = None
        self._loaded: tuple[str, str, str | None] | None = None
        self._run: RunFolder | None = None
        self._memory: SharedMemory | None = None

    def answer(self, request: dict[str, Any]) -> None:
        """Answer one request; an error becomes a reply."""
        # whoever sends a new request has copied the last image
        self._release()
        if request["kind"] == "unload":
            self._unload()
            self._reply({"kind": "unloaded"})
        elif request["kind"] == "predict":
            about = {"request": request["request"], "image_id": request["image_id"]}
            try:
                self._reply({"kind": "prediction", **about, **self._predict(request)})
            except InputError as error:
                self._reply({"kind": "error", **about, "message": str(error)})
            except Exception as error:
                traceback.print_exc()
                sentence = f"the preview failed ({type(error).__name__}: {error}); the details are in its log"
                self._reply({"kind": "error", **about, "message": sentence})

    def close(self) -> None:
        """Give everything back."""
        self._release()
        self._unload()

    def _predict(self, request: dict[str, Any]) -> dict[str, Any]:
        from pointanno.images import opened_image
        from pointanno_models.engine.prediction import prediction_to_labels

        began = time.perf_counter()
        predictor = self._load(request["run"], request["checkpoint"])
        with opened_image(Path(request["image"])) as image:
            prediction = predictor(image)
            size = (image.shape[0], image.shape[1])
        drawn = prediction_to_labels(prediction, size, predictor.categories, least_score=self._least_score)
        return {
            "checkpoint_id": predictor.checkpoint_id,
            **self._share(drawn),
            "seconds": round(time.perf_counter() - began, 4),
        }

    def _load(self, path: str, checkpoint: str) -> Predictor:
        """The network of the newest checkpoint; read from disk only if it changed."""
        from pointanno_models.engine import devices
        from pointanno_models.engine.prediction import Predictor

        if self._run is None or str(self._run.path) != path:
            self._run = RunFolder(path)
        identity = self._run.checkpoint_id(checkpoint) or self._run.checkpoint_id("last")
        wanted = (path, checkpoint, identity)
        if self._predictor is None or self._loaded != wanted:
            self._unload()
            self._predictor = Predictor(self._run, checkpoint, devices.choose_device(self._device))
            self._loaded = (path, checkpoint, self._predictor.checkpoint_id)
        return self._predictor

    def _share(self, drawn: LabelImage) -> dict[str, Any]:
        """Put a label image where the window can copy it from."""
        height, width = drawn.labels.shape
        self._memory = SharedMemory(create=True, size=max(1, drawn.labels.nbytes))
        shared: NDArray[np.uint16] = np.ndarray((height, width), dtype=np.uint16, buffer=self._memory.buf)
        shared[:] = drawn.labels
        return {"memory": self._memory.name, "shape": [height, width], "segments": drawn.segments}

    def _release(self) -> None:
        if self._memory is not None:
            self._memory.close()
            self._memory.unlink()
            self._memory = None

    def _unload(self) -> None:
        if self._predictor is None:
            return
        self._predictor, self._loaded = None, None
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _reply(self, reply: dict[str, Any]) -> None:
        self._replies.write(orjson.dumps(reply, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n")
        self._replies.flush()


def main(arguments: list[str] | None = None) -> int:
    """Answer requests until standard input closes."""
    parser = argparse.ArgumentParser(prog="pointanno_models.engine.preview", description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--least-score", type=float, default=0.5)
    options = parser.parse_args(arguments)
    # libraries print to standard output now and then: keep the pipe for replies, send the rest to stderr
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    lower_priority(NICE)
    # leave by way of `close`, which gives the shared memory back
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = PreviewServer(replies, options.device, options.least_score)
    try:
        for line in sys.stdin.buffer:
            server.answer(orjson.loads(line))
    except (KeyboardInterrupt, BrokenPipeError):
        pass
    finally:
        server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
