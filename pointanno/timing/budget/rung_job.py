"""The work on one rung: annotations, training, prediction, measurement; goes on where it was interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pointanno.benchmark.children import run_child
from pointanno.benchmark.machine import describe
from pointanno.benchmark.results import read_result, recipe_hash, result_file, trained_steps, training_seconds
from pointanno.benchmark.row_job import CHECKPOINT, RowJob
from pointanno.evaluation.resampling import quality_of_samples
from pointanno.runs import RunFolder
from pointanno.runs.atomic import replace_json
from pointanno.timing.budget.rung import Rung, write_annotations

if TYPE_CHECKING:
    from pathlib import Path

SAMPLES = 200
"""Samples of the validation pictures."""


class RungJob(RowJob):
    """A row of a benchmark that writes its own training data and measures by samples of pictures."""

    @property
    def rung(self) -> Rung:
        """The row with what belongs to the ladder."""
        assert isinstance(self.row, Rung)
        return self.row

    def simulate(self) -> None:
        """Draw the annotations anew: they are a function of truth, seed and budget, and take seconds."""
        write_annotations(self.rung)

    def work(self) -> dict[str, Any]:
        """Do everything that is missing and return the result."""
        before = read_result(self.rung)
        if before is not None:
            self.say("finished before, kept")
            return before
        with self.alone():
            self.simulate()
            self.train()
            result = self.measure()
            replace_json(result_file(self.rung), result)
        self.say(f"finished, {result['metric'].upper()} {result['quality']:.3f}")
        return result

    def measure(self) -> dict[str, Any]:
        """Predict all validation pictures and measure them, as they are and in samples."""
        rung = self.rung
        predictions = rung.folder / "pred.json"
        self.say("predicting")
        words = ["predict", str(rung.run), "--images", str(rung.val_images), "--gt", str(rung.val_truth)]
        words += ["-o", str(predictions), "--checkpoint", CHECKPOINT]
        words += ["--threads", str(self.threads), "--device", self.device]
        predicted = run_child(words, self.log, self.stop)
        self.say("measuring")
        return make_result(rung, self.machines(), predicted, predictions)


def make_result(
    rung: Rung, machines: list[dict[str, Any]], predicted: dict[str, Any], predictions: Path
) -> dict[str, Any]:
    """Everything that table and page need to know about a rung."""
    run = RunFolder(rung.run)
    environment, events = run.environment(), run.events()
    measured = quality_of_samples(rung.val_truth, predictions, SAMPLES)
    device, device_name = str(environment.get("device", "cpu")), str(environment.get("device_name", "cpu"))
    machine = describe(machines, device=device, device_name=device_name, threads=environment.get("threads"))
    return {
        "row": rung.name,
        "kind": rung.kind.name,
        "title": rung.kind.title,
        "system": rung.system,
        "seed": rung.plan.seed,
        "budget_h": rung.budget,
        "hours": rung.hours,
        "counts": rung.counts,
        "pictures": len(rung.image_ids),
        "metric": measured.metric,
        "quality": measured.value,
        "samples": measured.samples.tolist(),
        "recipe": {"name": rung.plan.recipe, "overrides": list(rung.overrides), "sha256": recipe_hash(run.recipe())},
        "training": {"seconds": training_seconds(events), "steps": trained_steps(events)},
        "checkpoint": predicted["checkpoint"],
        "val_pictures": predicted["pictures"],
        "machine": machine,
        "versions": environment.get("versions"),
        "key": rung.key(),
    }
