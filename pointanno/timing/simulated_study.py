"""Studies with a known effect: what the statistics must find again."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pointanno.formats.rle import mask_to_rle
from pointanno.timing.fake_journal import FakeJournal

CONDITIONS = ("single_point", "mask")

_RLE = mask_to_rle(np.eye(8, dtype=bool))


@dataclass(frozen=True, slots=True)
class Plan:
    """A study in Latin-square blocks: everybody does every picture once, half of them under each condition.

    Attributes
    ----------
    annotators, pictures, objects : people, pictures of a block pair, objects of each picture
    first_s : typical seconds of an object under the first condition
    ratio : by which factor the second condition takes longer
    pace, difficulty, taste, noise : standard deviations of logarithms
        Of people, of pictures, of what the condition does for a person, and of a single object.
    twice : whether everybody does every picture under both conditions instead
    practice : by which factor the first object takes longer than later ones
    """

    annotators: int = 6
    pictures: int = 20
    objects: int = 4
    first_s: float = 1.5
    ratio: float = 3.0
    pace: float = 0.3
    difficulty: float = 0.3
    taste: float = 0.15
    noise: float = 0.5
    twice: bool = False
    practice: float = 1.8


def simulate_study(plan: Plan, seed: int) -> FakeJournal:
    """The journal of a study that follows the plan."""
    rng = np.random.default_rng(seed)
    journal = FakeJournal()
    hard = rng.normal(0, plan.difficulty, plan.pictures)
    for person in range(plan.annotators):
        pace = rng.normal(0, plan.pace)
        effect = math.log(plan.ratio) + rng.normal(0, plan.taste)
        journal.begin(f"anon-{person + 1}", mode=CONDITIONS[0], screen_hz=60.0)
        half = plan.pictures // 2
        blocks = [list(range(half)), list(range(half, plan.pictures))]
        if plan.twice:
            blocks = [list(range(plan.pictures))] * 2
        order = [(person + block) % 2 for block in range(2)]
        for block, condition in zip(blocks, order, strict=True):
            journal.wait(500)
            journal.write("block_start", {"condition": CONDITIONS[condition], "mode": CONDITIONS[condition]})
            done = 0
            for picture in rng.permutation(block).tolist():
                journal.write("image_load_start", image_id=picture + 1)
                journal.wait(80)
                journal.write("image_shown", {"swapped": True}, image_id=picture + 1)
                for number in range(plan.objects):
                    log_s = math.log(plan.first_s) + pace + hard[picture] + condition * effect
                    log_s += rng.normal(0, plan.noise) + math.log(plan.practice) * 0.7**done
                    _annotate(journal, picture + 1, f"{person}-{condition}-{picture}-{number}", condition, log_s)
                    done += 1
                journal.wait(300)
                journal.write("complete", {"things": True, "stuff": True}, image_id=picture + 1)
        journal.wait(400)
        journal.write("session_end")
    return journal


def _annotate(journal: FakeJournal, image_id: int, uid: str, condition: int, log_s: float) -> None:
    """One object, which takes the seconds that are given."""
    ms = 1000 * math.exp(log_s)
    if condition == 0:
        journal.wait(ms)
        payload = {"uid": uid, "category_id": 1, "x": 5, "y": 5, "instance": abs(hash_of(uid))}
        journal.write("click", payload, image_id=image_id)
        return
    journal.wait(ms / 2)
    journal.write("drag_start", {}, image_id=image_id)
    journal.wait(ms / 2)
    journal.write("mask", {"uid": uid, "rle": _RLE, "category_id": 1}, image_id=image_id)


def hash_of(uid: str) -> int:
    """A number for a uid, the same on every machine."""
    return int.from_bytes(uid.encode(), "little")
