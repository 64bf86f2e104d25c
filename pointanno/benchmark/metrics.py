"""What the rows of a benchmark are measured by: AP of instances, PQ of panoptic maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

MAX_DETECTIONS = (500, 100)
"""The main numbers of AP count at most so many detections a picture, those in brackets the other many."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One way to measure predictions.

    A result has a record for each of `kinds`; in it one for each of `limits`; in it a number in [0, 1], or None where
    it is not defined, for each of `measures`.
    """

    name: str
    """As in a plan and after ``evaluate --metric``."""
    kinds: tuple[str, ...]
    """What is measured; the first is compared between rows."""
    limits: tuple[str, ...]
    """Under which limit; the second, if there is one, stands in brackets."""
    measures: tuple[str, ...]
    """Names of the numbers; the first is what a row is judged by."""
    header: tuple[str, ...]
    """Columns of the table: the measures of each kind."""
    truth: str
    """Name of the truth that it needs, unless the plan says otherwise."""
    note: str
    """What the columns mean."""

    @property
    def main(self) -> str:
        """The kind that is compared."""
        return self.kinds[0]

    def main_value(self, result: Mapping[str, Any]) -> float | None:
        """The number that a row is judged by."""
        value: float | None = result[self.main][self.limits[0]][self.measures[0]]
        return value

    def evaluate(self, truth: Path, predictions: Path, run: Callable[[list[str]], Mapping[str, Any]]) -> dict[str, Any]:
        """Measure a file of predictions.

        Parameters
        ----------
        truth, predictions : Path
        run : function
            Runs ``pointanno`` with words and returns its answer.

        Returns
        -------
        dict
            A record for each of `kinds`, and `per_class`, `measured`.
        """
        words = ["evaluate", str(truth), str(predictions), "--metric", self.name]
        if self.name == "pq":
            found = run(words)
            numbers = {
                "pq": found["all"]["pq"], "pq_things": found["things"]["pq"], "pq_stuff": found["stuff"]["pq"],
                "sq": found["all"]["sq"], "rq": found["all"]["rq"],
            }  # fmt: skip
            return {"pq": {"all": numbers}, "per_class": found["per_class"], "measured": {}}
        words += ["--max-dets", *(str(limit) for limit in sorted(MAX_DETECTIONS))]
        masks, boxes = run(words), run([*words, "--fill-boxes"])
        return {
            "ap": self._by_limit(masks),
            "boxes_filled": self._by_limit(boxes),
            "per_class": masks["max_detections"][self.limits[0]]["per_class"],
            "measured": {name: masks[name] for name in ("detections", "most_objects_in_an_image")},
        }

    def _by_limit(self, evaluation: Mapping[str, Any]) -> dict[str, dict[str, float | None]]:
        """The measures for each limit of detections."""
        found = evaluation["max_detections"]
        return {limit: {name: found[limit][name] for name in self.measures} for limit in self.limits}


AP = Metric(
    name="ap",
    kinds=("ap", "boxes_filled"),
    limits=tuple(str(limit) for limit in MAX_DETECTIONS),
    measures=("ap", "ap50", "ap75"),
    header=("AP", "AP50", "AP75", "boxes filled: AP", "AP50", "AP75"),
    truth="instances.json",
    note=(
        f"AP is AP@[.50:.95] of masks by pycocotools with at most {MAX_DETECTIONS[0]} detections a picture, in "
        f'brackets with at most {MAX_DETECTIONS[1]}. "Boxes filled" scores the same detections with their boxes '
        "filled: what masks must beat."
    ),
)

PQ = Metric(
    name="pq",
    kinds=("pq",),
    limits=("all",),
    measures=("pq", "pq_things", "pq_stuff", "sq", "rq"),
    header=("PQ", "PQ things", "PQ stuff", "SQ", "RQ"),
    truth="panoptic.json",
    note="PQ, SQ and RQ are means over all classes of the truth; void and crowds are treated as panopticapi does.",
)

METRICS = {metric.name: metric for metric in (AP, PQ)}
"""By the name in a plan."""
