"""What computes here, by name."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any


def this_machine() -> dict[str, Any]:
    """Host, processor and the number of its cores that this process may use."""
    return {"host": platform.node(), "cpu": _processor(), "cores": _cores()}


def has_cuda() -> bool:
    """Whether torch sees a CUDA device; asked in a process of its own."""
    code = "import torch; raise SystemExit(0 if torch.cuda.is_available() else 1)"
    try:
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, timeout=120)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def describe(machines: list[dict[str, Any]], *, device: str, device_name: str, threads: int | None) -> str:
    """Machines of a training in a few words: "AMD EPYC, 2 cores, 1 thread", "NVIDIA H200 (AMD EPYC, 16 cores)"."""
    hosts = [f"{m['cpu']}, {m['cores']} core{'' if m['cores'] == 1 else 's'}" for m in machines]
    host = " and ".join(dict.fromkeys(hosts)) or "unknown processor"
    if device != "cpu":
        return f"{device_name} ({host})"
    return host if threads is None else f"{host}, {threads} thread{'' if threads == 1 else 's'}"


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    """Name of the processor as its maker writes it."""
    if sys.platform.startswith("linux"):
        try:
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
                if line.startswith("model name"):
                    return " ".join(line.partition(":")[2].split())
        except OSError:
            pass
    elif sys.platform == "darwin":
        said = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False)
        if said.stdout.strip():
            return said.stdout.strip()
    return platform.processor() or platform.machine()
