"""The preview from end to end: client, child process, shared memory."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointanno.images import read_image
from pointanno.runs import PreviewClient, PreviewReply, RunFolder, TrainArguments, create_run
from pointanno_models.engine.prediction import Predictor, prediction_to_labels
from pointanno_models.engine.worker import train


@pytest.fixture
def run(toy_data: Any, tmp_path: Path) -> RunFolder:
    arguments = TrainArguments(
        data=toy_data.points, images=toy_data.images, system="toy_points", device="cpu", steps=15
    )
    made = create_run(arguments, tmp_path / "run")
    train(made)
    return made


@pytest.fixture
def client(run: RunFolder) -> Iterator[PreviewClient]:
    with PreviewClient(run, device="cpu") as made:
        yield made
    assert made.pid is None


def wait(client: PreviewClient, seconds: float = 60.0) -> PreviewReply:
    deadline = time.monotonic() + seconds
    while (reply := client.poll()) is None:
        assert time.monotonic() < deadline, "no answer"
        time.sleep(0.01)
    return reply


def test_preview_round_trip(
    client: PreviewClient, run: RunFolder, toy_data: Any, make_run: Callable[..., RunFolder]
) -> None:
    pictures = sorted(toy_data.images.iterdir())
    began = time.monotonic()
    for number, picture in enumerate(pictures):
        client.request(picture, number)
    assert time.monotonic() - began < 1, "requests do not wait, not even for the start of the child"
    reply = wait(client)
    assert reply.error == ""
    assert reply.image_id == len(pictures) - 1, "the newest wins"
    image = read_image(pictures[-1])
    predictor = Predictor(run, "best", "cpu")
    expected = prediction_to_labels(predictor(image), image.shape[:2], predictor.categories)
    assert reply.labels.dtype == np.uint16
    assert np.array_equal(reply.labels, expected.labels) and reply.labels.any()
    assert reply.segments == expected.segments
    assert reply.checkpoint_id == run.checkpoint_id("best")
    assert client.poll() is None

    # errors are sentences and the child lives on
    pid = client.pid
    client.request(toy_data.images / "nothing.png", 7)
    reply = wait(client)
    assert reply.image_id == 7 and "nothing.png" in reply.error

    # the model can be given back; it is loaded again when it is needed
    client.unload()
    client.request(pictures[0], 0)
    assert wait(client).error == ""
    assert client.pid == pid

    # another checkpoint is noticed, here by another run
    other = make_run("other", steps=3)
    train(other)
    client.set_run(other)
    client.request(pictures[0], 0, "last")
    assert wait(client).checkpoint_id == other.checkpoint_id("last")

    # a run without any is a sentence
    client.set_run(make_run("fresh"))
    client.request(pictures[0], 0)
    assert "no checkpoint yet" in wait(client).error

    # nobody waits for an answer that was cancelled
    client.request(pictures[0], 4)
    client.cancel()
    time.sleep(0.5)
    assert client.poll() is None


@pytest.mark.slow
def test_a_child_that_dies_is_a_message_and_starts_again(client: PreviewClient, toy_data: Any) -> None:
    picture = toy_data.images / "1.png"
    client.request(picture, 1)
    wait(client)
    pid = client.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    client.request(picture, 3)
    reply = wait(client)
    if reply.error:  # the request was written into the pipe of the dead
        assert "ended unexpectedly" in reply.error
        client.request(picture, 3)
        reply = wait(client)
    assert reply.error == "" and client.pid != pid


def test_without_a_run_nothing_is_started() -> None:
    with PreviewClient() as client:
        client.request("a.png", 1)
        assert "no training run" in wait(client).error
        assert client.pid is None
