"""What this machine has of what pointanno needs; every look happens in a process of its own, so it may crash there."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass

_QT = """
import json, qtpy
from qtpy import QtCore
print(json.dumps(f"{qtpy.API_NAME} {qtpy.PYSIDE_VERSION or qtpy.PYQT_VERSION}, Qt {QtCore.__version__}"))
"""

_OPENGL = """
import json
from qtpy.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext
application = QGuiApplication([])
surface = QOffscreenSurface(); surface.create()
context = QOpenGLContext()
if not context.create() or not context.makeCurrent(surface):
    raise SystemExit("no OpenGL context could be made")
made = context.format()
print(json.dumps(f"OpenGL {made.majorVersion()}.{made.minorVersion()}, window system {application.platformName()}"))
"""

_TORCH = """
import json, torch, torchvision
print(json.dumps(f"torch {torch.__version__}, torchvision {torchvision.__version__}"))
"""

_CUDA = """
import json, torch
if torch.cuda.is_available():
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    print(json.dumps(", ".join(names)))
elif torch.backends.mps.is_available():
    print(json.dumps("no CUDA, but Apple's mps"))
else:
    built = torch.version.cuda
    raise SystemExit("built without CUDA" if built is None else f"built for CUDA {built}, no device found")
"""

_NVML = """
import json
from pointanno.runs.machine import Machine
machine = Machine()
cards = [f"{gpu.name} ({gpu.memory_total / 2**30:.0f} GB, {gpu.memory_used / 2**30:.1f} GB used)"
         for gpu in machine.gpus()]
if not cards:
    raise SystemExit("no NVIDIA driver answers")
print(json.dumps(f"driver {machine.driver()}: " + ", ".join(cards)))
"""

_ONNX = """
import json, onnxruntime
print(json.dumps(f"onnxruntime {onnxruntime.__version__}: " + ", ".join(onnxruntime.get_available_providers())))
"""

_NAPARI = """
import json
from importlib.metadata import version
from npe2 import PluginManager
manager = PluginManager(); manager.discover()
manifest = manager.get_manifest("pointanno")
print(json.dumps(f"napari {version('napari')}, plugin {manifest.name} {manifest.package_version}"))
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the diagnosis."""

    subject: str
    state: str
    """ "ok", "absent" (an option that works without) or "broken" (something needs it)."""
    detail: str
    advice: str
    """What to do; empty if there is nothing to do."""


def diagnose() -> list[Finding]:
    """Look at Python, Qt, OpenGL, napari, torch, CUDA and ONNX Runtime, in the order in which they are needed."""
    torch_advice = (
        "run `python -m pip install --upgrade torch torchvision`; training and preview need it, annotating does not"
    )
    torch_gpu = _look("GPU for torch", _CUDA, "absent", _gpu_advice())
    cards = _look("graphics cards", _NVML, "absent", "without one everything works, training and preview more slowly")
    if cards.state == "ok" and torch_gpu.state != "ok":
        torch_gpu = _unused_card(torch_gpu)
    return [
        _python(),
        _look(
            "Qt",
            _QT,
            "broken",
            "install a binding of Qt, `python -m pip install 'PySide6<6.12'`; the window needs it, the commands do not",
        ),
        _opengl(),
        _look(
            "napari",
            _NAPARI,
            "broken",
            "install pointanno again (`python -m pip install .` in its folder), so that napari finds its manifest",
        ),
        _look("torch", _TORCH, "broken", torch_advice),
        cards,
        torch_gpu,
        _look(
            "ONNX Runtime",
            _ONNX,
            "absent",
            "install exactly one of onnxruntime-gpu and onnxruntime (they share a folder: uninstall both first)",
        ),
    ]


def _python() -> Finding:
    version = platform.python_version()
    detail = f"{version} at {sys.executable}, {platform.system()} {platform.machine()}"
    return Finding("Python", "ok", detail, "")


def _opengl() -> Finding:
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return Finding(
            "OpenGL",
            "absent",
            "there is no display, so no window can open; the commands work without",
            "for a virtual display run `xvfb-run -a -s '-screen 0 1400x900x24' pointanno open PROJECT`",
        )
    libraries = (
        "on Debian and Ubuntu run `apt-get install libegl1 libgl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 "
        "libxcb-keysyms1 libxcb-shape0`, elsewhere install the graphics driver"
    )
    return _look("OpenGL", _OPENGL, "broken", libraries)


def _unused_card(finding: Finding) -> Finding:
    """There is a graphics card, but torch cannot use it: this is worth a repair."""
    return Finding(
        finding.subject,
        finding.state,
        f"{finding.detail}, though the driver shows a graphics card",
        "torch must be a build for CUDA that the driver supports: take the command from pytorch.org, and update the "
        "driver if it is older than that; until then everything runs on the processor",
    )


def _gpu_advice() -> str:
    if sys.platform == "win32":
        return "the default torch for Windows has no CUDA: take the command from pytorch.org for your CUDA version"
    return (
        "training and preview run on the processor, many times slower; with an NVIDIA GPU check that `nvidia-smi` works"
    )


def _look(subject: str, code: str, when_missing: str, advice: str) -> Finding:
    """Run a few lines in a new interpreter and read the sentence that they print as JSON."""
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        return Finding(subject, when_missing, "no answer within two minutes", advice)
    if done.returncode == 0:
        for line in reversed(done.stdout.splitlines()):
            try:
                return Finding(subject, "ok", str(json.loads(line)), "")
            except ValueError:
                continue
    if done.returncode < 0:
        return Finding(subject, when_missing, f"the check crashed by signal {-done.returncode}", advice)
    lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return Finding(subject, when_missing, lines[-1].strip() if lines else f"exit code {done.returncode}", advice)
