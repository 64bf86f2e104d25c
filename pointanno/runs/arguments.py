"""What a training is asked for: the options of ``pointanno train`` as one record that travels with the run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from pointanno.errors import InputError

DEVICES = ("auto", "cpu", "cuda", "mps")
"""What ``--device`` accepts; "cuda:1" names one of several."""

BEST = ("ap", "pq", "point_accuracy", "newest")
"""What ``--best`` accepts."""

_MOST_THREADS = 1024
"""More than any processor has; far more of them end the process without a word."""

_PATHS = ("data", "images", "val", "val_images", "weights", "init")


@dataclass(frozen=True, slots=True)
class TrainArguments:
    """Everything that decides a training, except where its run folder lies."""

    data: Path
    """COCO-point JSON, or COCO instances / panoptic for the supervision "masks"."""
    images: Path
    system: str = "point_sup"
    recipe: str = "small"
    """Name of a recipe of the system, or the path of a TOML file."""
    overrides: tuple[str, ...] = ()
    """``key=value`` with dotted keys, in order."""
    supervision: str | None = None
    """"points" or "masks"; None is the first that the system supports."""
    val: Path | None = None
    val_images: Path | None = None
    val_limit: int = 32
    """Pictures of each validation, spread evenly over the data set; 0 for all."""
    best: str | None = None
    """What decides about the best checkpoint, one of `BEST`; None is the system's metric where `val` can tell it."""
    steps: int | None = None
    """Length of every training stage, None as the recipe says."""
    seed: int = 0
    weights: Path | None = None
    """A local file of backbone weights, for machines without a network."""
    init: Path | None = None
    """Run folder whose weights the network starts from."""
    device: str = "auto"
    devices: int = 1
    deterministic: bool = False
    """Only operations that give the same bits each time; on a CPU with one thread that is always so."""
    threads: int | None = None
    """Threads of torch on the CPU; None as the recipe says, else all available cores."""

    def absolute(self) -> TrainArguments:
        """The same with absolute paths, since the worker may run in another folder."""
        given = {name: getattr(self, name) for name in _PATHS}
        found: dict[str, Any] = {
            name: Path(path).expanduser().resolve() for name, path in given.items() if path is not None
        }
        return replace(self, **found)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = asdict(self)
        for name in _PATHS:
            values[name] = None if values[name] is None else str(values[name])
        values["overrides"] = list(self.overrides)
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainArguments:
        """Inverse of `to_dict`; keys of a newer version are ignored."""
        known = {field.name for field in fields(cls)}
        kept = {name: value for name, value in values.items() if name in known}
        for name in _PATHS:
            if kept.get(name) is not None:
                kept[name] = Path(kept[name])
        kept["overrides"] = tuple(kept.get("overrides", ()))
        return cls(**kept)

    def check(self) -> None:
        """Refuse what cannot work, before anything is written.

        Raises
        ------
        InputError
            One sentence that names the option.
        """
        for name, path in (("DATA", self.data), ("--val", self.val), ("--weights", self.weights)):
            if path is not None and not path.is_file():
                raise InputError(f"{path}: {name} must be an existing file, but there is none; check the path")
            if path is not None and path.stat().st_size == 0:
                raise InputError(f"{path}: the file is empty (0 bytes); write or export it again")
        for name, folder in (("--images", self.images), ("--val-images", self.val_images), ("--init", self.init)):
            if folder is not None and not folder.is_dir():
                raise InputError(f"{folder}: {name} must be an existing folder, but there is none; check the path")
        if self.val is not None and self.val_images is None:
            raise InputError("--val needs --val-images, the folder of its pictures; give both or neither")
        if self.val is None and self.val_images is not None:
            raise InputError("--val-images needs --val, the JSON file of its truth; give both or neither")
        if self.best is not None and self.best not in BEST:
            raise InputError(f"--best {self.best!r}: expected one of {', '.join(BEST)}")
        if self.best not in (None, "newest") and self.val is None:
            raise InputError(
                f"--best {self.best} needs --val and --val-images: without validation pictures the newest checkpoint "
                "is the best"
            )
        if self.steps is not None and self.steps < 1:
            raise InputError(f"--steps {self.steps}: expected at least 1")
        if self.devices < 1:
            raise InputError(f"--devices {self.devices}: expected at least 1")
        if self.threads is not None and not 1 <= self.threads <= _MOST_THREADS:
            raise InputError(f"--threads {self.threads}: expected 1 to {_MOST_THREADS}")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"--seed {self.seed}: expected 0 or more, at most 2**63 - 1")
        if self.val_limit < 0:
            raise InputError(f"--val-limit {self.val_limit}: expected 0 (all pictures) or more")
        if self.device.split(":")[0] not in DEVICES:
            raise InputError(f"--device {self.device!r}: expected one of {', '.join(DEVICES)}, or cuda:1 and the like")
        if self.init is not None and self.weights is not None:
            raise InputError("--init and --weights exclude each other: both say where the weights come from")
