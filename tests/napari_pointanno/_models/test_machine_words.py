from __future__ import annotations

from napari_pointanno._models.machine_words import device_choices, machine_line
from pointanno.runs.machine import GpuReading, MachineReading

GB = 2**30


def test_devices() -> None:
    gpus = (GpuReading(0, "H200", 0.5, GB, 139 * GB), GpuReading(1, "T4", None, GB, 16 * GB))
    assert [choice.name for choice in device_choices(gpus, is_mac=False)] == ["auto", "cuda:0", "cuda:1", "cpu"]
    assert device_choices(gpus, is_mac=False)[1].title == "GPU 0: H200, 139 GB"
    # a driver that cannot be asked may still be there
    assert [choice.name for choice in device_choices((), is_mac=False)] == ["auto", "cuda", "cpu"]
    assert [choice.name for choice in device_choices((), is_mac=True)] == ["auto", "mps", "cpu"]


def test_a_machine_without_cards_and_without_a_run() -> None:
    reading = MachineReading(cpu=0.25, cores=8, memory_used=4 * GB, memory_total=16 * GB)
    assert machine_line(reading, None) == "CPU 2.0/8 · 4.0/16 GB"
