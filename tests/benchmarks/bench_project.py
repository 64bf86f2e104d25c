"""What durability costs, and what a large project costs.

    python tests/benchmarks/bench_project.py [--folder DIR] [--repeats 400] [--images 100000] [--objects 100000]

Prints a table; asserts nothing. The raw log and the project are measured in turn, event by event, on one disk.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import orjson
from PIL import Image as Picture

from pointanno.dataset import Box, Category, Image, Instance, PointDataset, Points
from pointanno.project import Project
from pointanno.project.image_list import ImageFilter
from pointanno.project.schema import IMAGE_STATE

Row = tuple[str, str, str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to be measured")
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--objects", type=int, default=100_000)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        rows = [*durable_answers(folder, options.repeats), *clicks_on_one_image(folder, options.repeats)]
        rows += large_project(folder, options.images, options.objects)
    finally:
        shutil.rmtree(folder)
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)))


def small_project(folder: Path) -> Project:
    images = folder / "images"
    if not images.exists():
        images.mkdir()
        Picture.fromarray(np.zeros((480, 640), np.uint8)).save(images / "a.png")
    return Project.create(folder / uuid.uuid4().hex, images=images, categories=[Category(1, "cell", True)])


def measured(action: Callable[[], Any]) -> tuple[float, float]:
    """Wall and CPU milliseconds of one call."""
    wall, cpu = time.perf_counter_ns(), time.process_time_ns()
    action()
    return (time.perf_counter_ns() - wall) / 1e6, (time.process_time_ns() - cpu) / 1e6


def in_words(name: str, times: list[tuple[float, float]], peer: float | None = None) -> Row:
    walls = sorted(wall for wall, _ in times)
    cpu = statistics.median(cpu for _, cpu in times)
    p50, p99 = statistics.median(walls), walls[int(0.99 * (len(walls) - 1))]
    ratio = "" if peer is None else f"ratio p50 {p50 / peer:.2f}"
    return name, f"p50 {p50:.3f} ms, p99 {p99:.3f} ms", f"CPU {cpu:.3f} ms", ratio


def durable_answers(folder: Path, repeats: int) -> list[Row]:
    """An answer through the project beside an append + fdatasync of the same bytes, one after the other."""
    log = os.open(folder / "raw.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    line = orjson.dumps({"uuid": uuid.uuid4().hex, "kind": "answer", "payload": "x" * 150})

    def append() -> None:
        os.write(log, line)
        os.fdatasync(log)

    raw, ours = [], []
    with small_project(folder) as project:
        box = uuid.uuid4().hex
        coords = [[x, x] for x in range(10)]
        project.record("box", {"uid": box, "category_id": 1, "box": [0, 0, 99, 99], "point_coords": coords}, image_id=1)
        for number in range(repeats):
            payload = {"uid": box, "point": number % 10, "value": "object", "time_ms": 800}
            raw.append(measured(append))
            ours.append(measured(lambda payload=payload: project.record("answer", payload, image_id=1)))  # type: ignore[misc]
    os.close(log)
    peer = statistics.median(wall for wall, _ in raw)
    return [in_words("append + fdatasync", raw), in_words("record(answer)", ours, peer)]


def clicks_on_one_image(folder: Path, repeats: int) -> list[Row]:
    """Adding a click, and reading the image, when 10 and 1,000 points are there."""
    rows = []
    with small_project(folder) as project:

        def add() -> None:
            payload = {"uid": uuid.uuid4().hex, "category_id": 1, "x": 5, "y": 5}
            project.record("click", payload, image_id=1)

        for there in (10, 1000):
            while project.image(1).clicks < there:
                project._store.raw.execute("pragma synchronous=off")  # filling up is not what is measured
                add()
            project._store.raw.execute("pragma synchronous=full")
            times = []
            for _ in range(min(repeats, 100)):
                times.append(measured(add))
                project.undo()
            rows.append(in_words(f"record(click) at {there} points", times))
            reads = [measured(lambda: project.annotations(1)) for _ in range(50)]
            rows.append(in_words(f"annotations() at {there} points", reads))
    return rows


def large_project(folder: Path, images: int, objects: int) -> list[Row]:
    """Making, opening, paging, importing and exporting a project of many images (their files are imaginary)."""
    listed = [Image(number, f"{number:08d}.jpg", 480, 640) for number in range(1, images + 1)]
    generator = np.random.default_rng(0)
    coords = generator.integers(0, 400, (objects, 10, 2)).astype(np.int32)
    labels = generator.integers(0, 2, (objects, 10)).astype(np.int8)
    owners = np.sort(generator.integers(1, images + 1, objects)).tolist()
    nothing: tuple[None, ...] = (None,) * 10
    instances = tuple(
        Instance(
            number + 1,
            owners[number],
            1,
            Box(1.5, 2.25, 400.0, 401.5),
            Points(coords[number], labels[number], ("ok",) * 10, nothing, nothing, nothing, ("simulated",) * 10),
        )
        for number in range(objects)
    )
    dataset = PointDataset(images=tuple(listed), categories=(Category(1, "cell", True),), instances=instances)
    scanned = [
        {
            **{"id": one.id, "position": one.id - 1, "uid": f"{one.id:032x}", "file_name": one.file_name},
            **{"height": 480, "width": 640, "bytes": 1, "sha256": None, "extra": None},
            **IMAGE_STATE,
        }
        for one in listed
    ]
    path = folder / "large.pointanno"
    made: list[Project] = []
    with mock.patch("pointanno.project.scan.scan_images", return_value=mock.Mock(rows=scanned, skipped=[])):
        create = measured(lambda: made.append(Project.create(path, images=folder / "images")))
    brought = measured(lambda: made[0].import_dataset(dataset))
    frozen = measured(lambda: made[0].dataset())
    target = folder / "export.json"
    streamed = measured(lambda: made[0].write_coco_point(target, with_events=False))
    made[0].close()
    megabytes = (path / "project.db").stat().st_size / 2**20
    opened: list[Project] = []

    def reopen() -> None:
        opened.append(Project.open(path))

    opens = []
    for _ in range(3):
        opens.append(measured(reopen))
        if len(opens) < 3:
            opened.pop().close()
    project = opened[0]
    draws = generator.integers(0, images, 200).tolist()
    pages = [measured(lambda start=start: project.images(start=start, count=100)) for start in draws]  # type: ignore[misc]
    single = [measured(lambda start=start: project.annotations(start + 1)) for start in draws]  # type: ignore[misc]
    progress, unlabelled = ImageFilter(state="in_progress"), ImageFilter(state="unlabelled")
    filtered = [measured(lambda start=start: project.image_page(progress, after=start)) for start in draws]  # type: ignore[misc]
    following = [measured(lambda start=start: project.next_image(unlabelled, after=start)) for start in draws]  # type: ignore[misc]
    texts = [ImageFilter(text=f"{start:06d}") for start in draws[:20]]
    named = [measured(partial(project.image_page, where)) for where in texts]
    counted = [measured(project.counts) for _ in range(5)]
    flagged = [
        measured(lambda start=start: project.record("flag", {"flagged": True}, image_id=start + 1))  # type: ignore[misc]
        for start in draws[:50]
    ]
    queue = measured(lambda: project.open_boxes("shuffled"))
    rebuilt = measured(project.rebuild)
    project.close()
    return [
        in_words(f"create, {images} images", [create]),
        in_words(f"import, {objects} boxes of 10 points ({megabytes:.0f} MB)", [brought]),
        in_words("dataset()", [frozen]),
        in_words(f"write_coco_point() ({target.stat().st_size / 2**20:.0f} MB)", [streamed]),
        in_words("open", opens),
        in_words("images(count=100)", pages),
        in_words("annotations() of one image", single),
        in_words("image_page(state, count=100)", filtered),
        in_words("next unlabelled image", following),
        in_words("search by part of a name", named),
        in_words("counts()", counted),
        in_words("record(flag)", flagged),
        in_words("open_boxes(shuffled)", [queue]),
        in_words("rebuild()", [rebuilt]),
    ]


if __name__ == "__main__":
    main()
