"""A run folder as an object: the only thing that a trainer and its watchers share."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pointanno.errors import InputError
from pointanno.runs.arguments import TrainArguments
from pointanno.runs.atomic import read_json, replace_json
from pointanno.runs.checkpoint_files import read_pointer
from pointanno.runs.events import Event, EventReader
from pointanno.runs.process import read_worker_file
from pointanno.runs.review import REVIEW, Review, read_review
from pointanno.runs.status import RunStatus, status_from_events


class RunFolder:
    """One training run on disk.

    Raises
    ------
    InputError
        If the folder is missing or holds no run.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).expanduser().absolute()
        if not self.path.is_dir():
            raise InputError(f"{self.path}: there is no such run folder; `pointanno runs DIR` lists those of a folder")
        if not self.environment_file.is_file():
            raise InputError(
                f"{self.path}: not a run folder (environment.json is missing); name a folder that "
                "`pointanno train` made"
            )
        self._reader = EventReader(self.events_file)

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.path.name

    @property
    def recipe_file(self) -> Path:
        """Settings of the system, overrides included."""
        return self.path / "recipe.toml"

    @property
    def data_file(self) -> Path:
        """The frozen copy of the training data."""
        return self.path / "data.json"

    @property
    def environment_file(self) -> Path:
        """Versions, device, seed, arguments, hash of the data."""
        return self.path / "environment.json"

    @property
    def events_file(self) -> Path:
        """What happened."""
        return self.path / "events.jsonl"

    @property
    def control_file(self) -> Path:
        """What the outside asks: stop, pause."""
        return self.path / "control.json"

    @property
    def worker_file(self) -> Path:
        """The process that works on the run."""
        return self.path / "worker.json"

    @property
    def log_file(self) -> Path:
        """What the worker printed."""
        return self.path / "log.txt"

    @property
    def metrics_file(self) -> Path:
        """Curves: stage, step, name, value."""
        return self.path / "metrics.csv"

    @property
    def checkpoints_folder(self) -> Path:
        """Weights and state; see `pointanno.runs.checkpoint_files`."""
        return self.path / "checkpoints"

    @property
    def preview_folder(self) -> Path:
        """Sample predictions."""
        return self.path / "preview"

    @property
    def stages_folder(self) -> Path:
        """Results of stages that train nothing, one folder for each."""
        return self.path / "stages"

    def recipe(self) -> dict[str, Any]:
        """Content of ``recipe.toml``.

        Raises
        ------
        InputError
            If the file is missing or no TOML.
        """
        try:
            return tomllib.loads(self.recipe_file.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"{self.recipe_file}: {error.strerror}; the run is incomplete, start a new one") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{self.recipe_file}: not a TOML file ({error}); start a new run") from error

    def environment(self) -> dict[str, Any]:
        """Content of ``environment.json``.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        environment = read_json(self.environment_file)
        if environment is None or not isinstance(environment.get("arguments"), dict):
            raise InputError(f"{self.environment_file}: the file is damaged; start a new run")
        return environment

    def arguments(self) -> TrainArguments:
        """What the run was started with."""
        values = self.environment()["arguments"]
        try:
            return TrainArguments.from_dict(values)
        except TypeError as error:
            raise InputError(f"{self.environment_file}: the file is damaged ({error}); start a new run") from error

    def events(self, after: int = 0) -> list[Event]:
        """Events whose ``line`` is greater than `after`, read incrementally.

        Lines that a later `resume` made void are left out; who collected them before drops them when
        the `resume` arrives (`pointanno.runs.events.without_void`).
        """
        return [event for event in self._reader.read() if event["line"] > after]

    def control(self) -> dict[str, Any]:
        """What the outside asks at present."""
        return read_json(self.control_file) or {}

    def status(self) -> RunStatus:
        """State, progress and the last message."""
        return status_from_events(
            self._reader.read(),
            control=self.control(),
            worker=read_worker_file(self.worker_file),
            launched=self._launched(),
        )

    def _launched(self) -> float | None:
        """Time of the last start: as the file says, since its own time changes when a folder is copied."""
        worker = read_worker_file(self.worker_file)
        if worker is None:
            return None
        # before there was `started`, a worker was as old as its process
        launched = worker.get("started", worker.get("created"))
        return float(launched) if isinstance(launched, (int, float)) else None

    def request_stop(self) -> None:
        """Ask the worker to end after its current step with a checkpoint."""
        replace_json(self.control_file, {**self.control(), "stop": True})

    def request_pause(self, paused: bool = True) -> None:
        """Ask the worker to wait, or to go on."""
        replace_json(self.control_file, {**self.control(), "pause": paused})

    def clear_control(self) -> None:
        """Forget what was asked of an earlier worker."""
        self.control_file.unlink(missing_ok=True)

    def checkpoint(self, name: str = "best") -> Path | None:
        """Folder of the checkpoint "last" or "best", None if there is none yet."""
        pointer = read_pointer(self.checkpoints_folder, name)
        return None if pointer is None else self.checkpoints_folder / str(pointer["folder"])

    def checkpoint_id(self, name: str = "best") -> str | None:
        """A name that changes with every new checkpoint, None if there is none yet."""
        pointer = read_pointer(self.checkpoints_folder, name)
        return None if pointer is None else str(pointer["id"])

    def checkpoint_step(self, name: str = "best") -> int | None:
        """Step of a checkpoint within its stage, None if there is none yet."""
        pointer = read_pointer(self.checkpoints_folder, name)
        return None if pointer is None or not isinstance(pointer.get("step"), int) else int(pointer["step"])

    def review(self) -> Review | None:
        """What the run found doubtful in its own pseudo-labels, None if it made none yet.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        found = sorted(self.stages_folder.glob(f"*/{REVIEW}"))
        return read_review(found[-1]) if found else None

    def best_checkpoint(self) -> Path | None:
        """The best checkpoint, or the last one where there is no best."""
        return self.checkpoint("best") or self.checkpoint("last")


def list_runs(folder: Path | str) -> list[RunFolder]:
    """Runs directly within a folder (or the folder itself, if it is one), by name.

    Raises
    ------
    InputError
        If the folder is missing.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; give the folder that holds run folders")
    if (folder / "environment.json").is_file():
        return [RunFolder(folder)]
    return [RunFolder(path.parent) for path in sorted(folder.glob("*/environment.json"))]
