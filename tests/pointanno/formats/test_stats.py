from __future__ import annotations

from pointanno.dataset import PointDataset
from pointanno.formats.stats import count_dataset


def test_counts(rich_dataset: PointDataset) -> None:
    counts = count_dataset(rich_dataset)
    assert (counts["images"], counts["images_without_annotations"]) == (2, 1)
    assert (counts["boxes"], counts["crowd"], counts["masks"]) == (3, 1, 1)
    assert counts["targets"] == {"things": 1, "stuff": 1}
    # boxes 3 + 1 + 1, targets 1 + 3
    assert counts["points"] == {"all": 9, "object": 5, "background": 2, "ignored": 2}
    assert counts["points_per_box"] == {"min": 1, "max": 3}
    assert counts["status"] == {"ok": 7, "unsure": 2}
    assert counts["median_time_ms"] == (812 + 2310) / 2
    assert counts["per_category"][1] == {"name": "cell", "isthing": True, "boxes": 2, "targets": 1, "points": 5}


def test_nothing_can_be_counted_too() -> None:
    counts = count_dataset(PointDataset(images=(), categories=()))
    assert counts["points"]["all"] == 0
    assert counts["points_per_box"] is None
    assert counts["median_time_ms"] is None
