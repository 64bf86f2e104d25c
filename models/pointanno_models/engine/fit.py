"""The training of a run from its folder: what is read, where it goes on, and its stages in order."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import torch

from pointanno.errors import InputError
from pointanno.runs.atomic import replace_json
from pointanno.runs.checkpoint_files import TRAINING_WEIGHTS
from pointanno.runs.creation import sha256_of, versions
from pointanno.systems import load_system
from pointanno_models.engine import devices
from pointanno_models.engine.batches import BatchPlan, BatchSource
from pointanno_models.engine.beginning import first_network, network_of_checkpoint, new_network
from pointanno_models.engine.checkpoints import CheckpointFolder, read_state, read_weights
from pointanno_models.engine.keeper import NEWEST, Keeper
from pointanno_models.engine.loop import Outcome, StageLoop
from pointanno_models.engine.point_check import PointCheck
from pointanno_models.engine.stage import StageTrainer
from pointanno_models.engine.validation import TrainingPoints, Validation
from pointanno_models.engine.work_stage import WorkStage

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from pointanno.runs.folder import RunFolder
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
        self._validation: Validation | TrainingPoints | None = None
        self._resumed: dict[str, Any] | None = None
        self._resumed_from: Path | None = None
        self._start = 0

    def run(self) -> Outcome:
        """Train until the end or until somebody asks to stop.

        Raises
        ------
        InputError
            If the data, the recipe or the machine cannot do it, in words.
        """
        self._open()
        stages = list(self._system.stages())
        outcome: Outcome | None = None
        for index, stage in enumerate(stages):
            if index < self._start:
                continue
            is_work = self._schedule(stage).steps == 0
            outcome = self._run_work(index, stage) if is_work else self._run_training(index, stage)
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
        if arguments.deterministic:
            devices.make_repeatable()
        self._device = devices.choose_device(arguments.device)
        used_threads = devices.set_threads(threads)
        self._validation = self._make_validation()
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
        # the best one if a power failure took the pointer to the last: rather some steps again than all
        self._resumed_from = self._run.checkpoint("last") or self._run.checkpoint("best")
        if self._resumed_from is not None:
            self._resumed = read_state(self._resumed_from)
        state = self._resumed
        if self._run.metrics_file.exists() or state is not None:
            stage, step = (state["stage"], state["step"]) if state else (stages[0], 0)
            self._journal.emit("resume", stage=stage, step=step, steps=self._schedule(stage).steps or step)
            self._journal.forget_curves_beyond(stages, stage, step)
            self._journal.log(f"resumed from step {step} of stage {stage}")
        if state is not None:
            self._start = stages.index(state["stage"])
            if self._start + 1 < len(stages) and self._is_complete(state):
                self._start += 1
                self._resumed = None

    def _is_complete(self, state: dict[str, Any]) -> bool:
        """Whether the stage of a checkpoint is over."""
        if "is_done" in state:  # a work stage
            return bool(state["is_done"])
        steps = self._schedule(state["stage"]).steps
        # a stop may have come before the last validation, which is made up for
        is_validated = self._validation is None or int(state["validated_step"]) >= steps
        return int(state["step"]) >= steps and is_validated

    @property
    def _metric(self) -> str:
        """What decides about the best checkpoint."""
        return NEWEST if self._validation is None else self._validation.metric

    def _make_validation(self) -> Validation | TrainingPoints | None:
        """By the files that were given, else by the answers of the training data, if there are any."""
        arguments = self._arguments
        if arguments.val is None:
            points = PointCheck(self._dataset, arguments.images, limit=arguments.val_limit, is_held_out=False)
            return TrainingPoints(points) if len(points) else None
        assert arguments.val_images is not None
        return Validation(
            arguments.val,
            arguments.val_images,
            limit=arguments.val_limit,
            categories=self._dataset.categories,
            metric=arguments.best,
            usual_metric=self._descriptor.metric,
            output=self._descriptor.output,
            training=(self._dataset, arguments.images),
        )

    def _schedule(self, stage: str) -> Schedule:
        """The recipe's, with the length that was asked for."""
        schedule = self._system.schedule(stage)
        if self._arguments.steps is not None and schedule.steps > 0:
            schedule = dataclasses.replace(schedule, steps=self._arguments.steps)
        if self._device in ("cpu", "mps") and schedule.precision == "16-mixed":
            schedule = dataclasses.replace(schedule, precision="32-true")
        return schedule

    def _prepare(self, stage: str) -> int:
        """Let the system read what the stage needs; the number of its pictures."""
        count = self._system.prepare(
            self._dataset,
            self._arguments.images,
            supervision=self._environment["supervision"],
            stage=stage,
            products=self._run.stages_folder,
        )
        if count < 1:
            raise InputError(
                f"{self._run.data_file}: no picture with usable annotations to train on; annotate some first"
            )
        for sentence in self._system.notes:
            self._journal.warn(sentence)
        return count

    def _begin(self, index: int, stage: str, *, is_resumed: bool) -> nn.Module:
        """The network that is trained, as it is at the beginning of this stage."""
        if not is_resumed and index == 0:
            return first_network(
                self._system,
                self._arguments,
                self._journal,
                is_complete=self._schedule(stage).steps == 0,
            )
        if not is_resumed and self._system.starts_fresh(stage):
            return new_network(self._system, self._arguments, index)
        if self._network is None:
            assert self._resumed_from is not None
            return network_of_checkpoint(self._system, self._resumed_from, training=True)
        return self._network

    def _run_work(self, index: int, stage: str) -> Outcome:
        """A stage without steps."""
        count = self._prepare(stage)
        is_resumed, self._resumed = self._resumed is not None, None
        self._network = self._begin(index, stage, is_resumed=is_resumed)
        if index == 0 and not is_resumed:
            # the network of --init may change while the work is done; and it can be looked at from now on
            self._keeper.save_work(self._network, None, stage, 0, is_done=False)
        return devices.on_first_rank(self._arguments, self._device, lambda: self._work(index, stage, count))

    def _work(self, index: int, stage: str, count: int) -> Outcome:
        """The work itself, on the first device."""
        assert self._network is not None
        checkpoint = self._run.best_checkpoint()
        assert checkpoint is not None, "written at the end of the stage before, or at the beginning of this one"
        network = network_of_checkpoint(self._system, checkpoint, training=False)
        network.to(torch.device(self._device)).eval().requires_grad_(False)
        self._journal.log(f"stage {stage} works with the network of {checkpoint.name}")
        work = WorkStage(
            system=self._system,
            network=network,
            trained=self._network,
            keeper=self._keeper,
            journal=self._journal,
            control=self._control,
            stage=stage,
            index=index,
            count=count,
        )
        return work.run(
            self._dataset,
            self._arguments.images,
            self._run.stages_folder / stage,
            device=self._device,
            seed=self._arguments.seed,
        )

    def _run_training(self, index: int, stage: str) -> Outcome:
        """A stage of steps."""
        schedule = self._schedule(stage)
        count = self._prepare(stage)
        state = self._resumed
        start = 0 if state is None else int(state["step"])
        self._network = self._begin(index, stage, is_resumed=state is not None)
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
