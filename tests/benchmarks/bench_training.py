"""Training steps of the engine against plain loops on the same batches, in one run.

    python tests/benchmarks/bench_training.py [--steps 12] [--threads 1] [--only masks points implicit-masks ...]

For each way of learning, three loops train on the same pictures with the same augmentation (recipe `small` or
`small_implicit`: 4 crops of 128 pixels), from the same seeds:

torchvision   torchvision's own `MaskRCNN` with the same backbone and sizes (masks only: it knows neither points nor
              an implicit head), without its transform's resizing, which would be work that the others do not have
plain         our network in a loop of a few lines: forward, backward, clipping, AdamW, one-cycle schedule, moving
              average of the weights by torch's `AveragedModel`, the loss read
engine        the same network in a real run folder under `Fit`: the loop that `pointanno train` runs, with Fabric,
              control, journal, curves and the estimate of the time left

Loops take turns step by step in one process, so that a busy machine is busy for all of them; preparing the batch is
part of each step. The ratio is that of the medians of CPU time (wall time beside it): images a second of the engine,
as a share of the plain loop's and of torchvision's. The target is 0.95. A checkpoint is timed on its own, with its
share of the steps between two.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torchvision.models.detection import MaskRCNN as TorchvisionMaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import MultiScaleRoIAlign

from pointanno.formats import read_dataset
from pointanno.formats.coco_point import write as write_points
from pointanno.runs import TrainArguments, create_run
from pointanno.scenes import write_scenes
from pointanno.simulation import simulate
from pointanno_models.backbones import PyramidBackbone
from pointanno_models.engine.batches import BatchPlan, assemble, torch_seed
from pointanno_models.engine.control import Control
from pointanno_models.engine.fit import Fit
from pointanno_models.engine.journal import Journal
from pointanno_models.point_sup.system import PointSup

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from pointanno.runs import RunFolder
    from pointanno.runs.events import Event
    from pointanno_models.point_sup.recipe import PointSupRecipe

WARM_UP = 3
"""Steps that import and allocate."""
PICTURES, SIZE = 48, 192


class Task(NamedTuple):
    """A way of learning."""

    recipe: str
    supervision: str


TASKS = {
    "masks": Task("small", "masks"),
    "points": Task("small", "points"),
    "implicit-masks": Task("small_implicit", "masks"),
    "implicit-points": Task("small_implicit", "points"),
}


def main() -> None:
    """Print a table for each way of learning."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=12, help="measured steps of each loop")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=tuple(TASKS), default=tuple(TASKS))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scenes = write_scenes(folder / "scenes", PICTURES, SIZE, seed=0)
        write_points(simulate(read_dataset(scenes / "instances.json"), "box-points", n=10), folder / "points.json")
        for task in options.only:
            _compare(task, folder, steps=options.steps, threads=options.threads)


def _compare(name: str, folder: Path, *, steps: int, threads: int) -> None:
    """Let the loops take turns and print what they took."""
    task = TASKS[name]
    data = folder / "scenes" / "instances.json" if task.supervision == "masks" else folder / "points.json"
    arguments = TrainArguments(
        data=data,
        images=folder / "scenes" / "images",
        recipe=task.recipe,
        supervision=task.supervision,
        steps=steps + WARM_UP,
        device="cpu",
        threads=threads,
    )
    run = create_run(arguments, folder / name)
    loops: dict[str, Callable[[int], None]] = {}
    if name == "masks":
        loops["torchvision"] = PlainLoop(run, arguments, _torchvision_loop)
    loops["plain"] = PlainLoop(run, arguments, _our_loop)
    engine = EngineLoop(run)
    loops["engine"] = engine
    cpu: dict[str, list[float]] = {loop: [] for loop in loops}
    wall: dict[str, list[float]] = {loop: [] for loop in loops}
    for step in range(steps + WARM_UP):
        # who begins changes, so that nobody always follows the same neighbour
        order = list(loops)
        for loop in order[step % len(order) :] + order[: step % len(order)]:
            began = time.process_time(), time.perf_counter()
            loops[loop](step)
            if step >= WARM_UP:
                cpu[loop].append(time.process_time() - began[0])
                wall[loop].append(time.perf_counter() - began[1])
    began_wall = time.perf_counter()
    engine.finish()
    checkpoint_s = time.perf_counter() - began_wall
    batch = int(run.recipe()["train"]["batch_size"])
    every = int(run.recipe()["train"]["checkpoint_every"])
    print(f"\n{name}: median of {steps} steps of {batch} crops, {threads} thread(s)")
    columns = [loop for loop in loops if loop != "engine"]
    ratios = "".join(f"{'of ' + loop:>16}" for loop in columns)
    print(f"{'loop':12}{'CPU s/step':>12}{'wall s/step':>13}{'images/s':>10}{ratios}")
    for loop in loops:
        seconds = statistics.median(cpu[loop])
        shares = "".join(f"{statistics.median(cpu[other]) / seconds:16.3f}" for other in columns)
        print(f"{loop:12}{seconds:12.3f}{statistics.median(wall[loop]):13.3f}{batch / seconds:10.2f}{shares}")
    share = checkpoint_s / (every * statistics.median(wall["engine"]))
    print(f"a checkpoint every {every} steps takes {checkpoint_s:.2f} s wall, {share:.2%} of the steps between two")


class EngineLoop:
    """The real training in a thread that does one step whenever it is called."""

    def __init__(self, run: RunFolder) -> None:
        self._turn, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._run = run
        self._error: BaseException | None = None
        self._steps = 0
        self._thread = threading.Thread(target=self._train, daemon=True)
        self._thread.start()

    def __call__(self, step: int) -> None:
        self._turn.release()
        self._done.acquire()
        if self._error is not None:
            raise self._error
        assert self._steps == step + 1, "each step tells about itself once"

    def finish(self) -> None:
        """Let it write its checkpoint and end."""
        self._turn.release()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _train(self) -> None:
        self._turn.acquire()
        try:
            with Control(self._run) as control:
                Fit(self._run, Journal(self._run, listener=self._on_event), control).run()
        except BaseException as error:
            self._error = error
            self._done.release()

    def _on_event(self, event: Event) -> None:
        if event["kind"] == "step":
            self._steps = event["step"]
            self._done.release()
            self._turn.acquire()


class PlainLoop:
    """What somebody writes who needs one training on one device."""

    def __init__(self, run: RunFolder, arguments: TrainArguments, build: Callable[..., Any]) -> None:
        dataset = read_dataset(run.data_file)
        self._system: Any = PointSup(run.recipe(), dataset.categories, recipe_file="recipe.toml")
        supervision = str(arguments.supervision)
        count = self._system.prepare(
            dataset, arguments.images, supervision=supervision, stage="train", products=run.path / "stages"
        )
        batch_size = self._system.schedule("train").batch_size
        self._plan = BatchPlan(seed=0, stage_index=0, count=count, batch_size=batch_size, rank=0, world_size=1)
        torch.manual_seed(0)
        self._network, self._forward = build(self._system, sum(category.isthing for category in dataset.categories))
        self._network.train()
        assert arguments.steps is not None
        self._optimizer, self._scheduler = self._system.build_optimizer(self._network, "train", arguments.steps)
        train = self._system.recipe.train
        self._clip = train.gradient_clip
        self._average = torch.optim.swa_utils.AveragedModel(
            self._network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(train.ema_decay), use_buffers=True
        )

    def __call__(self, step: int) -> None:
        torch.manual_seed(torch_seed(self._plan, step))
        [(batch, _)] = assemble(self._system, self._plan, step)
        loss = torch.stack(list(self._forward(self._network, batch).values())).sum()
        self._optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), self._clip)
        self._optimizer.step()
        self._scheduler.step()
        self._average.update_parameters(self._network)
        float(loss.detach())


def _our_loop(system: PointSup, categories: int) -> tuple[nn.Module, Any]:
    """Our network and how a batch is given to it."""
    del categories
    network = system.build_network(weights=None)
    return network, lambda network, batch: network(batch["images"], batch["sizes"], batch["targets"])


def _torchvision_loop(system: PointSup, categories: int) -> tuple[nn.Module, Any]:
    """Torchvision's own class with every size of the recipe, and how a batch is given to it."""
    network = _torchvision_network(system.recipe, categories)

    def forward(network: nn.Module, batch: dict[str, Any]) -> dict[str, Tensor]:
        # its own loop has masks of 8 bits
        targets = [
            {"boxes": target["boxes"], "labels": target["labels"], "masks": target["masks"].to(torch.uint8)}
            for target in batch["targets"]
        ]
        losses: dict[str, Tensor] = network(list(batch["images"]), targets)
        return losses

    return network, forward


def _torchvision_network(recipe: PointSupRecipe, categories: int) -> TorchvisionMaskRCNN:
    n, d = recipe.network, recipe.detector
    backbone = PyramidBackbone(
        n.backbone, norm=n.norm, last_stage=n.last_stage, channels=n.fpn_channels, frozen_stages=0
    )
    levels = list(backbone.level_names[:-1])
    sizes = tuple((size,) for size in d.anchor_sizes)
    return TorchvisionMaskRCNN(
        backbone,
        _skip_resize=True,
        rpn_anchor_generator=AnchorGenerator(sizes, (tuple(d.aspect_ratios),) * len(sizes)),
        rpn_pre_nms_top_n_train=d.rpn_pre_nms_top_n_train,
        rpn_post_nms_top_n_train=d.rpn_post_nms_top_n_train,
        rpn_batch_size_per_image=d.rpn_batch_size_per_image,
        box_roi_pool=MultiScaleRoIAlign(levels, d.box_pool_size, 2, canonical_scale=d.canonical_scale),
        box_head=TwoMLPHead(n.fpn_channels * d.box_pool_size**2, d.box_head_channels),
        box_predictor=FastRCNNPredictor(d.box_head_channels, categories + 1),
        box_batch_size_per_image=d.box_batch_size_per_image,
        box_positive_fraction=d.box_positive_fraction,
        mask_roi_pool=MultiScaleRoIAlign(levels, d.mask_pool_size, 2, canonical_scale=d.canonical_scale),
        mask_head=MaskRCNNHeads(n.fpn_channels, (d.mask_head_channels,) * d.mask_head_convs, 1),
        mask_predictor=MaskRCNNPredictor(d.mask_head_channels, d.mask_head_channels, categories + 1),
    )


if __name__ == "__main__":
    warnings.filterwarnings("ignore", message=".*lr_scheduler.*")
    main()
