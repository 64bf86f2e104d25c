"""``pointanno simulate``: annotations from a ground truth, without a person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from pointanno.cli.console import Json, emit
from pointanno.simulation import Protocol, Sampling


def simulate_command(
    truth: Path,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    protocol: Protocol,
    n: Annotated[int, Parameter(name=["-n", "--points"])] = 10,
    sampling: Sampling = "uniform",
    label_noise: float = 0.0,
    box_jitter: float = 0.0,
    seed: int = 0,
    format: Annotated[Literal["coco-point", "pointsup"], Parameter(name="--format")] = "coco-point",
    json: Json = False,
) -> None:
    """Draw points from masks, as an annotator who knows the truth.

    Example: `pointanno simulate nuclei/train/instances.json --protocol box-points -n 10 --seed 0 -o points.json`

    Parameters
    ----------
    truth
        COCO instances or COCO panoptic JSON (its folder of PNGs beside it). Stuff points need panoptic.
    out
        File to write.
    protocol
        box-points: a box and N points uniform in it for every object, exactly as the PointSup script draws
        them. single-point: one click for every thing and every region of stuff. multi-point: N clicks.
        mask: the masks themselves.
    n
        Points for each object.
    sampling
        Where clicks fall in their mask: anywhere, rather in the middle, or rather at the border.
    label_noise
        Chance of a wrong answer (box points) or of a wrong class (clicks).
    box_jitter
        Share of its width and height by which the edges of a box are off.
    seed
        Same seed, same file. 12345 gives the file of the published script.
    format
        coco-point keeps everything; pointsup is the strict form for published loaders.
    json
        Print one JSON object.
    """
    from pointanno.errors import InputError
    from pointanno.formats import find_format, read_dataset
    from pointanno.project.outputs import check_output
    from pointanno.simulation import simulate

    check_output(out)
    if format == "pointsup" and protocol not in ("box-points", "mask"):
        raise InputError(f"--format pointsup holds boxes with points only, but {protocol} makes clicks without boxes")
    dataset = read_dataset(truth)
    try:
        simulated = simulate(
            dataset,
            protocol,
            n=n,
            sampling=sampling,
            label_noise=label_noise,
            seed=seed,
            box_jitter=box_jitter,
            progress=True,
        )
    except InputError as error:
        message = str(error)
        raise InputError(message if message.startswith("-") else f"{truth}: {message}") from None
    find_format(format).write(simulated, out)
    points = sum(len(instance.points) for instance in simulated.instances)
    points += sum(len(target.points) for target in simulated.targets)
    result = {
        "out": str(out),
        "format": format,
        "protocol": protocol,
        "images": len(simulated.images),
        "boxes": len(simulated.instances),
        "targets": len(simulated.targets),
        "points": points,
        "seed": seed,
    }
    emit(
        result,
        f"{out}: {len(simulated.instances)} boxes, {len(simulated.targets)} clicked targets, {points} points"
        f" in {len(simulated.images)} images",
        as_json=json,
    )
