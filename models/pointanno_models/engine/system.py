"""What the engine asks of a system; every system's ``system.py`` provides one such class.

A system is a list of named stages. A training stage has steps; a **work stage** has none and does something
once with the network that there is by then, making pseudo-labels for example: its results are files, which
later stages read.

The engine owns stages, steps, devices, precision, checkpoints, the run folder and the preview. A system
owns networks, samples, losses and postprocessing. The engine calls, a system answers; a system never
imports the engine's loop.

Every random draw of a training must be a pure function of (seed, stage, step, position in the global
batch), so that a resumed, a repeated and a distributed run see the same numbers: `sample` receives a
generator made from exactly these, and the engine seeds torch's global generator from (seed, stage, step)
before each `training_step`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

    from pointanno.dataset import Category, Instance, PointDataset, Prediction
    from pointanno.images import PixelSource
    from pointanno_models.engine.tiling import Tiling


@dataclass(frozen=True, slots=True)
class Schedule:
    """Length and rhythm of one stage, read from the recipe."""

    steps: int
    """0 marks a work stage; the other fields mean nothing then."""
    batch_size: int
    """Images of the global batch, over all devices."""
    gradient_clip: float | None
    """Largest norm of the gradient, None for no clipping."""
    ema_decay: float | None
    """Decay of the moving average of the weights that checkpoints and predictions use, None for none."""
    precision: str
    """Lightning Fabric's word: "32-true", "bf16-mixed", "16-mixed"."""
    validate_every: int
    """Steps between validations, 0 for none but the last."""
    checkpoint_every: int
    """Steps between checkpoints."""
    workers: int
    """Processes that prepare samples; 0 prepares them in the training process."""


@dataclass(frozen=True, slots=True)
class StageContext:
    """What a work stage works with."""

    folder: Path
    """``<run>/stages/<stage>``, for its results; it exists."""
    dataset: PointDataset
    images: Path
    device: str
    seed: int
    is_stop_asked: Callable[[], bool]
    """Whether to return soon; what is done by then must be on disk."""
    progress: Callable[[int, int], None]
    """Told (done, total) items, those of an earlier attempt included; a stage is complete when both are equal."""
    warn: Callable[[str], None]
    """Something that the user should know, in a sentence."""


class System(Protocol):
    """One training system, bound to a recipe and to the classes of a data set."""

    categories: Sequence[Category]
    notes: Sequence[str]
    """What the latest `prepare` found that the user should know, pictures left out for example, in sentences."""

    def __init__(
        self,
        recipe: Mapping[str, Any],
        categories: Sequence[Category],
        *,
        recipe_file: str,
    ) -> None:
        """Check the recipe (InputError names file, key and nearest valid key) and remember the classes."""

    def stages(self) -> Sequence[str]:
        """Names of the stages in order."""

    def schedule(self, stage: str) -> Schedule:
        """Length and rhythm of a stage."""

    def starts_fresh(self, stage: str) -> bool:
        """Whether a stage trains a new network instead of going on with that of the stage before.

        Not asked for the first stage, which starts from ``--init`` or from new weights.
        """

    def prepare(self, dataset: PointDataset, images: Path, *, supervision: str, stage: str, products: Path) -> int:
        """Read what a stage needs and return the number of its pictures.

        Parameters
        ----------
        products : Path
            Folder of the results of work stages: those of a stage lie in ``products / stage``.

        Raises
        ------
        InputError
            If the data cannot train this system (no boxes, no points, a missing picture), in words.
        """

    def work(self, stage: str, network: nn.Module, context: StageContext) -> None:
        """Do a work stage, after its `prepare`.

        Results are written to ``context.folder``, each file complete or not at all. A stage that was stopped or
        killed is done again by the same call: what was finished before must not be repeated, and the results
        must not differ.

        Parameters
        ----------
        network : nn.Module
            In evaluation mode on the device: the best one of the latest training stage, or that of ``--init``.
        """

    def build_network(self, *, weights: Path | None, pretrained: bool = True) -> nn.Module:
        """A new network: from a local file of backbone weights, as the recipe says otherwise.

        With `pretrained` False nothing is read or downloaded: the engine loads all weights itself
        afterwards (resume, ``--init``, predict, preview), perhaps on a machine without a network.

        Raises
        ------
        InputError
            If the recipe asks for weights that cannot be downloaded; says which options there are.
        """

    def build_optimizer(self, network: nn.Module, stage: str, steps: int) -> tuple[Optimizer, LRScheduler]:
        """Optimiser and a schedule that is stepped once a training step."""

    def sample(self, index: int, rng: np.random.Generator) -> Any:
        """One augmented training sample; called in worker processes too, after `prepare`."""

    def collate(self, samples: Sequence[Any]) -> Any:
        """A batch whose tensors the engine can move by ``fabric.to_device``."""

    def training_step(self, network: nn.Module, batch: Any) -> dict[str, Tensor]:
        """Named losses, 0-dimensional; the engine minimises their sum. `network` may be wrapped by Fabric."""

    def tiling(self) -> Tiling:
        """The largest picture that is predicted at once, and how larger ones are divided."""

    def measure(self, image: PixelSource) -> Any:
        """What must be known of a whole picture to predict a tile of it (brightness, say), None if nothing."""

    def predict(self, network: nn.Module, image: NDArray[Any], measured: Any = None) -> Prediction:
        """Prediction for one picture as `pointanno.images.read_image` returns it, in its own pixels.

        The engine calls this by way of `engine.tiling.predict_any_size`; with `measured` the picture is a tile,
        and `measure` has seen the whole.
        """

    def point_accuracy(
        self, network: nn.Module, image: PixelSource, instances: Sequence[Instance]
    ) -> tuple[int, int] | None:
        """How many answered points of a picture the masks of the annotated boxes get right.

        Returns
        -------
        (right, counted) or None
            None if the system has no masks of given boxes.
        """
