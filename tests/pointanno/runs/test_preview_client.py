"""When the preview gives the memory of its model back; the child process is a stand-in."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from pointanno.runs import PreviewClient


class Recorder(PreviewClient):
    """Answers at once and keeps what was sent."""

    def __init__(self, run: Path, **options: Any) -> None:
        super().__init__(run, **options)
        self.sent: list[str] = []

    def _exchange(self, line: bytes) -> dict[str, Any]:
        asked = json.loads(line)
        self.sent.append(asked["kind"])
        self._process = self  # type: ignore[assignment]
        return {"kind": "error", "message": "no model here"}

    def _end_process(self) -> None:
        self._process = None

    def terminate(self) -> None:
        """As a process that ends."""

    def poll(self) -> Any:
        """As a process that is still there, and as the client without an answer."""
        return None


def wait_for(client: Recorder, sent: list[str]) -> None:
    deadline = time.monotonic() + 10
    while client.sent != sent:
        assert time.monotonic() < deadline, client.sent
        time.sleep(0.01)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path


def test_idle_for_a_while(run: Path) -> None:
    """After the idle time the model is unloaded, once; the next picture loads it again."""
    client = Recorder(run, idle_unload_s=0.2)
    client.request("a.png", 1)
    wait_for(client, ["predict", "unload"])
    time.sleep(0.5)
    assert client.sent == ["predict", "unload"]
    client.request("a.png", 1)
    wait_for(client, ["predict", "unload", "predict", "unload"])
    client._process = None
    client.close(wait=True)


def test_when_a_training_needs_the_memory(run: Path) -> None:
    client = Recorder(run, idle_unload_s=600)
    client.unload()  # nothing is loaded, nothing is started
    client.request("a.png", 1)
    wait_for(client, ["predict"])
    client.unload()
    wait_for(client, ["predict", "unload"])
    client._process = None
    client.close(wait=True)
