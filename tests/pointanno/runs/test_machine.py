"""The graphics cards are a stand-in with the calls and structures of NVIDIA's library."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from pointanno.runs.machine import Machine
from pointanno.runs.process import write_worker_file


class FakeNvml:
    class NVMLError(Exception):
        pass

    def __init__(self, pid: int | None = None, *, fails: str = "") -> None:
        self.pid, self.fails = pid, fails
        self.calls: list[str] = []

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name == self.fails:
            raise self.NVMLError(name)

    def nvmlInit(self) -> None:
        self._call("init")

    def nvmlShutdown(self) -> None:
        self._call("shutdown")

    def nvmlSystemGetDriverVersion(self) -> bytes:
        return b"580.1"

    def nvmlDeviceGetCount(self) -> int:
        self._call("count")
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, handle: int) -> str | bytes:
        return b"old card" if handle else "NVIDIA H200"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        return SimpleNamespace(used=9 * 2**30, total=139 * 2**30)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:
        if handle:
            raise self.NVMLError("not supported")
        return SimpleNamespace(gpu=61)

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[Any]:
        self._call("processes")
        if handle:
            return []
        return [
            SimpleNamespace(pid=self.pid, usedGpuMemory=7 * 2**30),
            SimpleNamespace(pid=1, usedGpuMemory=2 * 2**30),
        ]


def worker(tmp_path: Any) -> dict[str, Any]:
    from pointanno.runs.atomic import read_json

    write_worker_file(tmp_path / "worker.json", os.getpid())
    found = read_json(tmp_path / "worker.json")
    assert found is not None
    return found


def test_cards_with_what_the_run_takes(tmp_path: Any) -> None:
    nvml = FakeNvml(os.getpid())
    machine = Machine(nvml)
    first, second = machine.read(worker(tmp_path)).gpus
    assert (first.name, first.utilization, first.memory_used, first.memory_total) == (
        "NVIDIA H200",
        0.61,
        9 * 2**30,
        139 * 2**30,
    )
    assert first.memory_of_run == 7 * 2**30
    assert (second.name, second.utilization, second.memory_of_run) == ("old card", None, None)
    assert machine.driver() == "580.1"
    machine.gpus()
    assert nvml.calls.count("init") == 1
    machine.close()
    assert nvml.calls[-1] == "shutdown"


def test_without_a_run_no_process_is_asked_for() -> None:
    nvml = FakeNvml()
    assert Machine(nvml).read().gpus[0].memory_of_run is None
    assert "processes" not in nvml.calls


@pytest.mark.parametrize("fails", ["init", "count"])
def test_a_driver_that_fails_is_no_card(fails: str) -> None:
    nvml = FakeNvml(fails=fails)
    machine = Machine(nvml)
    assert machine.read().gpus == () and machine.read().gpus == ()
    assert nvml.calls.count("init") == 1
    machine.close()


def test_processes_that_are_not_told_apart(tmp_path: Any) -> None:
    nvml = FakeNvml(os.getpid(), fails="processes")
    assert Machine(nvml).read(worker(tmp_path)).gpus[0].memory_of_run is None


def test_without_the_package_there_are_no_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    reading = Machine().read()
    assert reading.gpus == () and reading.cores >= 1 and 0 <= reading.memory_used <= reading.memory_total
    assert Machine().driver() == ""


def test_load_and_memory_of_a_run(tmp_path: Any) -> None:
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        write_worker_file(tmp_path / "worker.json", busy.pid)
        from pointanno.runs.atomic import read_json

        machine, known = Machine(FakeNvml(fails="init")), read_json(tmp_path / "worker.json")
        machine.read(known)
        for _ in range(100):  # until the kernel has given it some time
            reading = machine.read(known)
            if reading.cpu_of_run:
                break
        assert reading.cpu_of_run is not None and reading.cpu_of_run > 0
        assert reading.memory_of_run is not None and reading.memory_of_run > 2**20
    finally:
        busy.kill()
        busy.wait()
    gone = machine.read(known)
    assert (gone.memory_of_run, gone.cpu_of_run) == (None, None)
