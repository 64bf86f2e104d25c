"""A display that belongs to one test or one measurement: Xvfb, a window manager, and fingers.

The fingers press keys and buttons through the XTest extension, so the window gets what a keyboard and a mouse
would send, and each press is stamped with the monotonic clock just before it leaves.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SCREEN = "1400x900x24"
NEEDED = ("Xvfb", "xdotool", "fluxbox")


def missing(*programs: str) -> str:
    """What real input, and these programs besides, lack on this machine; "" if nothing."""
    if sys.platform != "linux":
        return "Linux"
    absent = [name for name in (*NEEDED, *programs) if shutil.which(name) is None]
    absent += [f"lib{name}" for name in ("X11", "Xtst") if ctypes.util.find_library(name) is None]
    return ", ".join(absent)


def stop(process: subprocess.Popen[Any] | None) -> None:
    """End a process that we started, by force if it does not end."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Display:
    """An X server with a window manager; `environment` is for the processes that live in it.

    Parameters
    ----------
    folder : Path
        For the home directory of those processes.
    """

    def __init__(self, folder: Path) -> None:
        read_end, write_end = os.pipe()
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write_end), "-screen", "0", SCREEN, "-nolisten", "tcp"],
            pass_fds=[write_end], stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(write_end)
        with os.fdopen(read_end) as pipe:
            self.name = f":{pipe.readline().strip()}"
        home = folder / "home"
        home.mkdir(parents=True)
        home.chmod(0o700)
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("WAYLAND", "QT_QPA", "PYTEST"))},
            "DISPLAY": self.name,
            "HOME": str(home),
            "NAPARI_CONFIG": str(home / "napari.yaml"),
            **{f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "CACHE", "STATE")},
            "XDG_RUNTIME_DIR": str(home),
            "QT_API": os.environ.get("QT_API", "pyside6"),
            "OMP_NUM_THREADS": "1",
        }
        # without this the window manager looks for a wallpaper and puts a message box in front when it finds none
        (home / ".fluxbox").mkdir()
        (home / ".fluxbox" / "overlay").write_text("background: none\n")
        self._manager = subprocess.Popen(
            ["fluxbox"], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def activate(self, title: str) -> None:
        """Bring the window of this title to the front and give it the keyboard."""
        found = subprocess.run(
            ["xdotool", "search", "--sync", "--onlyvisible", "--name", title],
            check=True, env=self.environment, capture_output=True, text=True,
        ).stdout.split()  # fmt: skip
        subprocess.run(["xdotool", "windowactivate", "--sync", found[-1]], check=True, env=self.environment)

    def close(self) -> None:
        """End window manager and server."""
        stop(self._manager)
        stop(self._server)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Fingers:
    """Keys and buttons of a display, without a process for each of them.

    Parameters
    ----------
    display : str
        Its name, as in ``:99``.
    """

    NAMES: Mapping[str, str] = {"ctrl": "Control_L", "shift": "Shift_L"}

    def __init__(self, display: str) -> None:
        self._x11 = ctypes.CDLL(ctypes.util.find_library("X11"))
        self._test = ctypes.CDLL(ctypes.util.find_library("Xtst"))
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._x11.XStringToKeysym.restype = ctypes.c_ulong
        self._x11.XKeysymToKeycode.argtypes = [ctypes.c_void_p, ctypes.c_ulong]
        self._x11.XKeysymToKeycode.restype = ctypes.c_ubyte
        self._x11.XFlush.argtypes = [ctypes.c_void_p]
        self._x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
        fake = (ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_ulong)
        self._test.XTestFakeKeyEvent.argtypes = fake
        self._test.XTestFakeButtonEvent.argtypes = fake
        self._test.XTestFakeMotionEvent.argtypes = (ctypes.c_void_p, *(ctypes.c_int,) * 3, ctypes.c_ulong)
        self._display = self._x11.XOpenDisplay(display.encode())
        if not self._display:
            raise OSError(f"{display}: cannot be opened")

    def key(self, text: str) -> int:
        """Press and release a key, as in ``f`` or ``ctrl+z``; nanoseconds of the monotonic clock before the press."""
        *modifiers, key = text.split("+")
        codes = [self._code(self.NAMES.get(name, name)) for name in (*modifiers, key)]
        for code in codes[:-1]:
            self._test.XTestFakeKeyEvent(self._display, code, 1, 0)
        at_ns = time.perf_counter_ns()
        self._test.XTestFakeKeyEvent(self._display, codes[-1], 1, 0)
        self._x11.XFlush(self._display)
        for code in reversed(codes):
            self._test.XTestFakeKeyEvent(self._display, code, 0, 0)
        self._x11.XFlush(self._display)
        return at_ns

    def move(self, x: int, y: int) -> None:
        """Put the pointer on a pixel of the screen."""
        self._test.XTestFakeMotionEvent(self._display, -1, x, y, 0)
        self._x11.XFlush(self._display)

    def click(self) -> int:
        """Press and release the left button; the time is that before the release, which makes the click."""
        self._test.XTestFakeButtonEvent(self._display, 1, 1, 0)
        at_ns = time.perf_counter_ns()
        self._test.XTestFakeButtonEvent(self._display, 1, 0, 0)
        self._x11.XFlush(self._display)
        return at_ns

    def hold(self, text: str, down: bool) -> int:
        """One key goes down, or up; nanoseconds of the monotonic clock just before."""
        code = self._code(text)
        at_ns = time.perf_counter_ns()
        self._test.XTestFakeKeyEvent(self._display, code, int(down), 0)
        self._x11.XFlush(self._display)
        return at_ns

    def button(self, down: bool) -> int:
        """The left button goes down, or up; nanoseconds of the monotonic clock just before."""
        at_ns = time.perf_counter_ns()
        self._test.XTestFakeButtonEvent(self._display, 1, int(down), 0)
        self._x11.XFlush(self._display)
        return at_ns

    def close(self) -> None:
        """Leave the display."""
        self._x11.XCloseDisplay(self._display)

    def _code(self, name: str) -> int:
        return int(self._x11.XKeysymToKeycode(self._display, self._x11.XStringToKeysym(name.encode())))
