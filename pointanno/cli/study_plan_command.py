"""``pointanno study-plan``: what a study compares, and who does what in which order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from pointanno.cli.console import Json, Whole, emit, note

if TYPE_CHECKING:
    from pointanno.project.studies import Progress, StoredPlan


def study_plan_command(
    project: Path,
    *,
    plan: Path | None = None,
    conditions: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    participants: Whole = None,
    seed: Whole = None,
    name: str | None = None,
    images_per_block: Whole = None,
    practice: Whole = None,
    gold_share: float | None = None,
    again: Annotated[bool | None, Parameter(negative=())] = None,
    warm_up: Whole = None,
    zoom: str | None = None,
    break_minutes: float | None = None,
    no_block_breaks: Annotated[bool, Parameter(negative=())] = False,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    replace: Annotated[bool, Parameter(negative=())] = False,
    show: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> None:
    """Plan a study of ways of annotating, and print who does what in which order.

    The plan is written into the project, and copies of the project carry it: give one to each participant, join them
    again by `pointanno merge`, report by `pointanno study`. Conditions come in blocks, one for each, in an order that
    is balanced over participants and over what came before (Williams design); nobody sees an image twice.

    Example: `pointanno study-plan cells.pointanno --conditions single_point box_points:10 mask --participants 6`

    Parameters
    ----------
    project
        The project; without --plan and --conditions its plan is shown.
    plan
        A TOML or JSON file with the fields of a plan, as --out writes it; options given besides change it. Images that
        it does not name are chosen by the seed.
    conditions
        What is compared: single_point, multi_point:POINTS, box_points:POINTS, mask; further options after a comma, as
        in box_points:10,draw=extreme, and a name of one's own before an equals sign, as in B10=box_points:10.
    participants
        How many people take part.
    seed
        Of every order and choice; 0 by default.
    name
        Of the study.
    images_per_block
        Measured images of each block; by default all images are dealt out.
    practice
        Images to practise on before each block; none by default.
    gold_share
        Share of the measured images that carry known answers, spread evenly over blocks.
    again
        Everybody does every image under every condition.
    warm_up
        Actions at the beginning of each session and condition that the report leaves out; 10 by default.
    zoom
        Screen pixels for each pixel of the picture, or "fit" (default) for the whole picture.
    break_minutes
        Offer a break after so many minutes, too.
    no_block_breaks
        No break between blocks.
    out
        Write the complete plan to this file as well (JSON).
    replace
        Plan anew although somebody has begun; what they did is kept.
    show
        Print the order of every participant also after writing.
    json
        Print one JSON object.
    """
    from pointanno.errors import InputError
    from pointanno.project import Project
    from pointanno.project.outputs import check_output
    from pointanno.project.studies import complete_plan, progress_of, store_plan, stored_plan
    from pointanno.protocols.study_plan import parse_condition, read_plan

    given: dict[str, Any] = {
        "conditions": [parse_condition(one) for one in conditions] if conditions else None,
        "participants": participants,
        "seed": seed,
        "name": name,
        "again": again,
        "warm_up": warm_up,
        "zoom": None if zoom is None else _zoom(zoom),
    }
    values = {} if plan is None else read_plan(plan)
    values |= {key: value for key, value in given.items() if value is not None}
    if break_minutes is not None or no_block_breaks:
        breaks = dict(values.get("breaks") or {})
        breaks |= {} if break_minutes is None else {"minutes": break_minutes}
        values["breaks"] = breaks | ({"after_block": False} if no_block_breaks else {})
    wanted = (images_per_block, practice, gold_share)
    writes = bool(values) or any(one is not None for one in wanted)
    for option, number in (("--images-per-block", images_per_block), ("--practice", practice)):
        if number is not None and number < (1 if option == "--images-per-block" else 0):
            raise InputError(f"{option}: expected a number of images, received {number}")
    if gold_share is not None and not 0 <= gold_share <= 1:
        raise InputError(f"--gold-share: expected a share from 0 to 1, received {gold_share:g}")
    if writes and "conditions" not in values:
        raise InputError("--conditions: expected what is compared, such as single_point box_points:10. Add it")
    if writes and "participants" not in values:
        raise InputError("--participants: expected how many people take part. Add it")
    if out is not None and not out.absolute().parent.is_dir():
        raise InputError(f"--out: the folder {out.absolute().parent} does not exist. Make it first")
    if out is not None and out.is_dir():
        raise InputError(f"--out: {out} is a folder, expected a file such as {out / 'plan.json'}")
    if out is not None:
        check_output(out)
    with Project.open(project, writable=writes) as opened:
        if writes:
            complete = complete_plan(
                opened,
                values,
                per_block=images_per_block,
                practice_per_block=practice,
                gold_share=gold_share,
                file=str(plan) if plan is not None else "study plan",
            )
            stored: StoredPlan | None = store_plan(opened, complete, replace_begun=replace)
        else:
            stored = stored_plan(opened)
        if stored is None:
            raise InputError(f"{project}: no study is planned. Plan one by --conditions and --participants, or --plan")
        progress = progress_of(opened, stored.uuid)
    if out is not None:
        _write(stored, out)
    for sentence in stored.plan.imbalance():
        note(f"study {stored.plan.name}: {sentence}")
    result = _as_json(stored, progress) | {"project": str(project)}
    emit(result, _describe(result, orders=show or not writes), as_json=json)


def _zoom(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _write(stored: StoredPlan, out: Path) -> None:
    import orjson

    from pointanno.atomic import replacing

    with replacing(out) as file:
        file.write(orjson.dumps(stored.plan.as_payload(), option=orjson.OPT_INDENT_2) + b"\n")


def _as_json(stored: StoredPlan, progress: Progress) -> dict[str, Any]:
    plan = stored.plan
    people = []
    for number in range(1, plan.participants + 1):
        schedule = plan.schedule(number)
        people.append(
            {
                "participant": number,
                "annotator": progress.people.get(number),
                "finished_images": progress.finished_images(schedule),
                "blocks": [
                    {
                        "condition": block.condition.name,
                        "mode": block.condition.mode,
                        "practice": list(block.practice),
                        "images": list(block.images),
                    }
                    for block in schedule.blocks
                ],
            }
        )
    return {"uuid": stored.uuid, "plan": plan.as_payload(), "imbalance": list(plan.imbalance()), "people": people}


def _describe(result: dict[str, Any], *, orders: bool) -> str:
    """The study as lines for a person; with `orders`, who does what."""
    plan = result["plan"]
    names = ", ".join(one["name"] for one in plan["conditions"])
    lines = [
        f"{plan['name']}: {names}; {plan['participants']} participants, {len(plan['images'])} images"
        + (f" ({len(plan['gold'])} with known answers)" if plan["gold"] else "")
        + (f", {len(plan['practice'])} to practise on" if plan["practice"] else "")
        + f", seed {plan['seed']}"
    ]
    if orders:
        for person in result["people"]:
            total = sum(len(block["images"]) for block in person["blocks"])
            who = f"  {person['annotator']}: {person['finished_images']} of {total} done" if person["annotator"] else ""
            lines.append(f"participant {person['participant']}{who}")
            for number, block in enumerate(person["blocks"], 1):
                practised = f"practice {' '.join(block['practice'])}; " if block["practice"] else ""
                lines.append(f"  {number} {block['condition']}: {practised}{' '.join(block['images'])}")
    else:
        lines.append("--show prints who does what in which order")
    return "\n".join(lines)
