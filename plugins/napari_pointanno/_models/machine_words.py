"""The load of the machine in words; pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from pointanno.runs.machine import GpuReading, MachineReading

GB = 2**30


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """A line of the device menu."""

    name: str
    """As `--device` takes it."""
    title: str


def device_choices(gpus: tuple[GpuReading, ...], *, is_mac: bool) -> list[DeviceChoice]:
    """What can be trained on, as far as can be known without torch.

    Parameters
    ----------
    gpus : tuple of GpuReading
        Cards that the driver shows.
    is_mac : bool
        Whether an Apple GPU may be there.
    """
    choices = [DeviceChoice("auto", "automatic")]
    for gpu in gpus:
        memory = f"{gpu.memory_total / GB:.0f} GB"
        choices.append(DeviceChoice(f"cuda:{gpu.index}", f"GPU {gpu.index}: {gpu.name}, {memory}"))
    if not gpus and not is_mac:
        choices.append(DeviceChoice("cuda", "GPU (cuda)"))
    if is_mac:
        choices.append(DeviceChoice("mps", "Apple GPU (mps)"))
    return [*choices, DeviceChoice("cpu", "processor (cpu)")]


def machine_line(reading: MachineReading, waiting: float | None) -> str:
    """Cards, memory, processors and the share of time spent waiting for pictures.

    Parameters
    ----------
    reading : MachineReading
    waiting : float in [0, 1] or None
        Share of the time that the training waits for pictures.
    """
    lines = [_gpu(gpu) for gpu in reading.gpus]
    cpu = f"CPU {reading.cpu * reading.cores:.1f}/{reading.cores}"
    if reading.cpu_of_run is not None:
        cpu += f" (this run {reading.cpu_of_run:.1f})"
    parts = [cpu]
    memory = f"{reading.memory_used / GB:.1f}/{reading.memory_total / GB:.0f} GB"
    if reading.memory_of_run is not None:
        memory += f" (this run {reading.memory_of_run / GB:.1f})"
    parts.append(memory)
    if waiting is not None:
        parts.append(f"data wait {100 * waiting:.0f} %")
    return "\n".join([*lines, " · ".join(parts)])


def _gpu(gpu: GpuReading) -> str:
    load = "" if gpu.utilization is None else f" {100 * gpu.utilization:.0f} %"
    memory = f"{gpu.memory_used / GB:.1f}/{gpu.memory_total / GB:.0f} GB"
    mine = "" if gpu.memory_of_run is None else f" (this run {gpu.memory_of_run / GB:.1f})"
    return f"GPU{gpu.index} {gpu.name}{load} · {memory}{mine}"
