"""Files of the size of COCO, or a part of it: simulating answers, importing and exporting, with time and memory.

    python tests/benchmarks/bench_large_files.py [--share 0.1] [--folder DIR]

Every step runs in a process of its own, so that its peak of memory is its own. Prints a table; asserts nothing.
The file is generated: 118,287 images and 860,001 objects (times the share), each with one polygon of 12 to 60 corners.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
import orjson

IMAGES, OBJECTS = 118_287, 860_001


def make_coco(file: Path, share: float) -> None:
    """COCO instances with polygons of about the number of corners that COCO has."""
    generator = np.random.default_rng(0)
    images, objects = int(IMAGES * share), int(OBJECTS * share)
    owners = np.sort(generator.integers(1, images + 1, objects)).tolist()
    with file.open("wb") as out:
        listed = [{"id": n, "file_name": f"{n:012d}.jpg", "height": 480, "width": 640} for n in range(1, images + 1)]
        out.write(b'{"images": ' + orjson.dumps(listed) + b', "categories": [{"id": 1, "name": "thing"}]')
        out.write(b', "annotations": [')
        for number, owner in enumerate(owners, 1):
            corners = int(generator.integers(12, 60))
            angle = np.sort(generator.random(corners)) * 2 * np.pi
            radius = generator.uniform(0.4, 1.0, corners) * generator.uniform(10, 90)
            x0, y0 = generator.uniform(100, 540), generator.uniform(100, 380)
            polygon = np.stack([x0 + radius * np.cos(angle), y0 + radius * np.sin(angle)], 1).round(2)
            low, high = polygon.min(axis=0), polygon.max(axis=0)
            entry = {"id": number, "image_id": owner, "category_id": 1, "iscrowd": 0, "area": 100.0}
            entry |= {
                "bbox": [*low.tolist(), *(high - low).round(2).tolist()],
                "segmentation": [polygon.ravel().tolist()],
            }
            out.write((b"," if number > 1 else b"") + orjson.dumps(entry))
        out.write(b"]}")


def step_simulate(folder: Path) -> None:
    from pointanno.cli import main

    main(
        ["simulate", str(folder / "coco.json"), "--protocol", "box-points", "-n", "10", "-o", str(folder / "p10.json")]
    )


def step_create(folder: Path) -> None:
    """A project whose pictures are imaginary."""
    from pointanno.formats.json_file import read_json
    from pointanno.project import Project
    from pointanno.project.schema import IMAGE_STATE

    listed = read_json(folder / "coco.json")["images"]
    rows = [
        {**IMAGE_STATE, "id": one["id"], "position": place, "uid": f"{one['id']:032x}", "file_name": one["file_name"]}
        | {"height": 480, "width": 640, "bytes": 1, "sha256": None, "extra": None}
        for place, one in enumerate(listed)
    ]
    (folder / "images").mkdir()
    with mock.patch("pointanno.project.scan.scan_images", return_value=mock.Mock(rows=rows, skipped=[])):
        Project.create(folder / "large", images=folder / "images").close()


def step_import(folder: Path) -> None:
    from pointanno.cli import main

    main(["import", str(folder / "large.pointanno"), str(folder / "p10.json")])


def step_export(folder: Path) -> None:
    from pointanno.cli import main

    main(["export", str(folder / "large.pointanno"), "-o", str(folder / "out.json")])


def step_nothing(folder: Path) -> None:
    """What an interpreter with the same imports needs."""
    from pointanno.formats import read_dataset
    from pointanno.project import Project

    assert callable(read_dataset) and callable(Project.open)


STEPS = {
    "nothing": step_nothing,
    "simulate": step_simulate,
    "create": step_create,
    "import": step_import,
    "export": step_export,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--step", choices=tuple(STEPS), default=None)
    options = parser.parse_args()
    if options.step is not None:
        start = time.process_time()
        STEPS[options.step](options.folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"CPU {time.process_time() - start:7.2f} s   peak {peak:6.0f} MB", file=sys.stderr)
        return
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        make_coco(folder / "coco.json", options.share)
        size = (folder / "coco.json").stat().st_size / 2**20
        print(f"{int(IMAGES * options.share)} images, {int(OBJECTS * options.share)} objects, {size:.0f} MB of JSON")
        for name in STEPS:
            command = [sys.executable, __file__, "--folder", str(folder), "--step", name]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            print(f"{name:10} {done.stderr.strip().splitlines()[-1]}", flush=True)
        for name in ("p10.json", "large.pointanno/project.db", "out.json"):
            print(f"{name:28} {(folder / name).stat().st_size / 2**20:6.0f} MB")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
