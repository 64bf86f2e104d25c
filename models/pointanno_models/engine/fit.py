"""The training of a run from its folder: what is read, where it goes on, and its stages in order."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import torch

from pointanno.errors import InputError
from pointanno.runs.atomic import replace_json
from pointanno.runs.checkpoint_files import TRAINING_WEIGHTS
from pointanno.runs.creation import sha256_of, versions
from pointanno.runs.folder import RunFolder
from pointanno.systems import load_system
from pointanno_models.engine import devices
from pointanno_models.engine.batches import BatchPlan, BatchSource
from pointanno_models.engine.checkpoints import CheckpointFolder, read_state, read_weights
from pointanno_models.engine.initial_weights import load_initial_weights
from pointanno_models.engine.keeper import NEWEST, Keeper
from pointanno_models.engine.loop import Outcome, StageLoop
from pointanno_models.engine.prediction import build_empty_network
from pointanno_models.engine.stage import StageTrainer
from pointanno_models.engine.validation import Validation

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from pointanno_models.engine.control import Control
    from pointanno_models.engine.journal import Journal
    from pointanno_models.engine.system import Schedule, System


class Fit:
    """One training; `run` does it all."""

    def __init__(self, run: RunFolder, journal: Journal, control: Control) -> None:
        self._run = run
        self._journal = journal
        self._control = control
        self._arguments = run.arguments()
        self._environment = run.environment()
        self._descriptor = load_system(str(self._environment["system"]))
        self._keeper: Keeper
        self._system: System
        self._network: nn.Module | None = None
        self._validation: Validation | None = None
        self._resumed: dict[str, Any] | None = None
        self._resumed_from: Path | None = None

    def run(self) -> Outcome:
        """Train until the end or until somebody asks to stop.

        Raises
        ------
        InputError
            If the data, the recipe or the machine cannot do it, in words.
        """
        self._open()
        stages = list(self._system.stages())
        start = 0
        if self._resumed is not None:
            start = stages.index(self._resumed["stage"])
        outcome: Outcome | None = None
        for index, stage in enumerate(stages):
            if index >= start:
                outcome = self._run_stage(index, stage)
                if outcome.reason == "stopped":
                    break
        assert outcome is not None
        return outcome

    def _open(self) -> None:
        """Read the run folder, say hello, find out where to go on."""
        from pointanno.formats import read_dataset

        arguments, environment = self._arguments, self._environment
        if sha256_of(self._run.data_file) != environment["data"]["sha256"]:
            raise InputError(
                f"{self._run.data_file}: the frozen data were changed after the run was created; start a new run"
            )
        recipe = self._run.recipe()
        self._dataset = read_dataset(self._run.data_file)
        implementation = self._descriptor.load()
        self._system = implementation(recipe, self._dataset.categories, recipe_file=str(self._run.recipe_file))
        threads = arguments.threads if arguments.threads is not None else recipe.get("threads")
        self._device = devices.choose_device(arguments.device)
        used_threads = devices.set_threads(threads)
        if arguments.val is not None:
            assert arguments.val_images is not None
            self._validation = Validation(
                arguments.val,
                arguments.val_images,
                metric=self._descriptor.metric,
                limit=arguments.val_limit,
                categories=self._dataset.categories,
            )
        if devices.global_rank() == 0:
            name = torch.cuda.get_device_name() if self._device.startswith("cuda") else self._device
            environment |= {"device": self._device, "device_name": name, "threads": used_threads}
            replace_json(self._run.environment_file, environment | {"versions": versions()})
        self._keeper = Keeper(
            self._system,
            CheckpointFolder(self._run.checkpoints_folder) if devices.global_rank() == 0 else None,
            self._journal,
            metric=self._metric,
            seed=arguments.seed,
            about={"system": self._descriptor.name, "supervision": environment["supervision"]},
        )
        self._say_hello()

    def _say_hello(self) -> None:
        """Tell what is trained, and from where if it is not the beginning."""
        arguments, environment, stages = self._arguments, self._environment, list(self._system.stages())
        self._journal.emit(
            "hello",
            run=self._run.name,
            system=self._descriptor.name,
            stages=stages,
            device=self._device,
            seed=arguments.seed,
            supervision=environment["supervision"],
            metric=self._metric,
            versions=environment["versions"],
        )
        self._resumed_from = self._run.checkpoint("last")
        if self._resumed_from is not None:
            self._resumed = read_state(self._resumed_from)
        if self._run.metrics_file.exists() or self._resumed is not None:
            stage, step = (self._resumed["stage"], self._resumed["step"]) if self._resumed else (stages[0], 0)
            self._journal.emit("resume", stage=stage, step=step, steps=self._schedule(stage).steps)
            self._journal.forget_curves_beyond(stages, stage, step)
            self._journal.log(f"resumed from step {step} of stage {stage}")

    @property
    def _metric(self) -> str:
        """What decides about the best checkpoint."""
        return self._descriptor.metric if self._arguments.val is not None else NEWEST

    def _schedule(self, stage: str) -> Schedule:
        """The recipe's, with the length that was asked for."""
        schedule = self._system.schedule(stage)
        if self._arguments.steps is not None and schedule.steps > 0:
            schedule = dataclasses.replace(schedule, steps=self._arguments.steps)
        if self._device in ("cpu", "mps") and schedule.precision == "16-mixed":
            schedule = dataclasses.replace(schedule, precision="32-true")
        return schedule

    def _run_stage(self, index: int, stage: str) -> Outcome:
        schedule = self._schedule(stage)
        count = self._system.prepare(
            self._dataset, self._arguments.images, supervision=self._environment["supervision"], stage=stage
        )
        if schedule.steps == 0:
            self._journal.emit("stage", stage=stage, index=index, step=0, steps=0, images=count)
            return Outcome("finished", stage, 0, 0, None, None)
        if count < 1:
            raise InputError(
                f"{self._run.data_file}: no picture with usable annotations to train on; annotate some first"
            )
        state = self._resumed if self._resumed is not None and self._resumed["stage"] == stage else None
        start = 0 if state is None else int(state["step"])
        self._network = self._network or self._build_network()
        fabric = devices.make_fabric(self._arguments, self._device, schedule.precision)
        if schedule.batch_size % fabric.world_size:
            raise InputError(
                f"{self._run.recipe_file}: the batch of {schedule.batch_size} pictures cannot be shared evenly by "
                f"{fabric.world_size} devices; make it a multiple with --set"
            )
        plan = BatchPlan(
            seed=self._arguments.seed,
            stage_index=index,
            count=count,
            batch_size=schedule.batch_size,
            rank=fabric.global_rank,
            world_size=fabric.world_size,
        )
        source = BatchSource(
            self._system,
            plan,
            start=start,
            steps=schedule.steps,
            workers=schedule.workers,
            pin_memory=self._device.startswith("cuda"),
        )
        try:
            optimizer, scheduler = self._system.build_optimizer(self._network, stage, schedule.steps)
            trainer = StageTrainer(
                fabric, self._system, self._network, optimizer, scheduler, schedule, source, self._journal
            )
            self._begin_stage(trainer, state, start)
            self._journal.emit(
                "stage",
                stage=stage,
                index=index,
                step=start,
                steps=schedule.steps,
                images=count,
                batch_size=schedule.batch_size,
            )
            self._journal.log(f"stage {stage}: {count} pictures, {schedule.steps} steps of {schedule.batch_size}")
            loop = StageLoop(
                run_folder=self._run,
                fabric=fabric,
                system=self._system,
                trainer=trainer,
                source=source,
                keeper=self._keeper,
                validation=self._validation,
                journal=self._journal,
                control=self._control,
                stage=stage,
                schedule=schedule,
            )
            return loop.run(start)
        finally:
            source.close()

    def _build_network(self) -> nn.Module:
        """The first network: from a checkpoint, from another run, or from the beginning."""
        torch.manual_seed(self._arguments.seed)
        if self._resumed_from is not None:
            network = build_empty_network(self._system)
            network.load_state_dict(read_weights(self._resumed_from, training=True))
            return network
        if self._arguments.init is not None:
            network = build_empty_network(self._system)
            transfer = load_initial_weights(network, RunFolder(self._arguments.init), self._system.categories)
            if transfer.fresh or not transfer.same_classes:
                self._journal.warn(transfer.sentence())
            else:
                self._journal.log(transfer.sentence())
            return network
        return self._system.build_network(weights=self._arguments.weights)

    def _begin_stage(self, trainer: StageTrainer, state: dict[str, Any] | None, start: int) -> None:
        """Fresh counters, or those of the checkpoint, which is done with then."""
        self._keeper.begin_stage(state, start)
        if state is None:
            return
        assert self._resumed_from is not None
        trainer.load_state(state["trainer"], start)
        if trainer.average is not None and (self._resumed_from / TRAINING_WEIGHTS).is_file():
            trainer.average.network.load_state_dict(read_weights(self._resumed_from))
        self._resumed = None
