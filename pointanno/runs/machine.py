"""How busy the machine is: processors, graphics cards, and how much of it a run takes. Torch-free.

Graphics cards are asked through NVIDIA's management library, which sees all processes; without a driver or without
the package ``nvidia-ml-py`` there are simply no cards in a reading.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil

from pointanno.runs.process import process_tree

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class GpuReading:
    """One graphics card."""

    index: int
    name: str
    utilization: float | None
    """0 ... 1; None where the card does not tell."""
    memory_used: int
    """Bytes, of all processes."""
    memory_total: int
    memory_of_run: int | None = None
    """Bytes of the run's processes; None where the driver does not tell (in containers, on Windows)."""


@dataclass(frozen=True, slots=True)
class MachineReading:
    """One look."""

    cpu: float
    """Mean load of all cores since the last look, 0 ... 1."""
    cores: int
    memory_used: int
    memory_total: int
    memory_of_run: int | None = None
    """Bytes of main memory that the run's processes hold."""
    cpu_of_run: float | None = None
    """Cores that the run keeps busy, e.g. 1.9."""
    gpus: tuple[GpuReading, ...] = ()


class Machine:
    """Reads the machine again and again; opens the driver once.

    Parameters
    ----------
    nvml : module, optional
        Stands in for ``pynvml``.
    """

    def __init__(self, nvml: Any = None) -> None:
        self._nvml = nvml
        self._is_open = False
        self._is_absent = False
        self._processes: dict[int, psutil.Process] = {}

    def read(self, worker: dict[str, Any] | None = None) -> MachineReading:
        """The machine now; with a worker (as `read_worker_file` returns it) also what its processes take.

        The first reading of the processors covers no time and says 0.
        """
        tree = [] if worker is None else self._known(process_tree(worker))
        resident, busy = 0, 0.0
        for process in tree:
            with contextlib.suppress(psutil.Error):
                resident += process.memory_info().rss
                busy += process.cpu_percent(None) / 100
        memory = psutil.virtual_memory()
        return MachineReading(
            cpu=psutil.cpu_percent(None) / 100,
            cores=psutil.cpu_count() or os.cpu_count() or 1,
            memory_used=memory.total - memory.available,
            memory_total=memory.total,
            memory_of_run=resident if tree else None,
            cpu_of_run=busy if tree else None,
            gpus=self.gpus([process.pid for process in tree]),
        )

    def _known(self, tree: list[psutil.Process]) -> list[psutil.Process]:
        """The same processes as the last time: the load of one is measured between two looks at one object."""
        self._processes = {process.pid: self._processes.get(process.pid, process) for process in tree}
        return list(self._processes.values())

    def gpus(self, pids: list[int] | None = None) -> tuple[GpuReading, ...]:
        """All graphics cards of NVIDIA, none without a driver."""
        if not self._open():
            return ()
        nvml, readings = self._nvml, []
        try:
            for index in range(nvml.nvmlDeviceGetCount()):
                readings.append(self._gpu(index, nvml.nvmlDeviceGetHandleByIndex(index), set(pids or ())))
        except nvml.NVMLError:  # the driver went away, e.g. by an update
            return tuple(readings)
        return tuple(readings)

    def driver(self) -> str:
        """Version of NVIDIA's driver, "" without one."""
        if not self._open():
            return ""
        try:
            return _text(self._nvml.nvmlSystemGetDriverVersion())
        except self._nvml.NVMLError:
            return ""

    def close(self) -> None:
        """Let go of the driver."""
        if self._is_open:
            with contextlib.suppress(self._nvml.NVMLError):
                self._nvml.nvmlShutdown()
            self._is_open = False

    def _open(self) -> bool:
        if self._is_open or self._is_absent:
            return self._is_open
        try:
            self._nvml = self._nvml or importlib.import_module("pynvml")
        except ImportError:
            self._is_absent = True
            return False
        try:
            self._nvml.nvmlInit()
        except (self._nvml.NVMLError, OSError):
            self._is_absent = True
            return False
        self._is_open = True
        return True

    def _gpu(self, index: int, handle: Any, pids: set[int]) -> GpuReading:
        nvml = self._nvml
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        utilization: float | None = None
        with contextlib.suppress(nvml.NVMLError):  # not told by cards that are divided
            utilization = float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu) / 100
        return GpuReading(
            index=index,
            name=_text(nvml.nvmlDeviceGetName(handle)),
            utilization=utilization,
            memory_used=int(memory.used),
            memory_total=int(memory.total),
            memory_of_run=self._memory_of(handle, pids) if pids else None,
        )

    def _memory_of(self, handle: Any, pids: set[int]) -> int | None:
        """Bytes of the processes on a card; None if none of them is told apart."""
        found = [one for one in self._computing(handle) if one.pid in pids]
        known = [int(one.usedGpuMemory) for one in found if one.usedGpuMemory is not None]
        return sum(known) if known else None

    def _computing(self, handle: Any) -> Iterator[Any]:
        with contextlib.suppress(self._nvml.NVMLError):
            yield from self._nvml.nvmlDeviceGetComputeRunningProcesses(handle)


def _text(value: str | bytes) -> str:
    """Older versions of the package answer in bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value
