"""Which pictures so many hours buy: whole pictures in a random order, each step of the ladder within the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pointanno.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOUR = 3600.0

FULL = 0.9
"""From this share of a budget on it counts as spent: what is left would be filled with the emptiest pictures only."""

STEPS = 4
"""Budgets of a ladder that nobody asked for."""

FEWEST_PICTURES = 3
"""So many average pictures the costliest kind gets for the smallest of these budgets."""


def picture_order(image_ids: Sequence[int], seed: int) -> list[int]:
    """The pictures in a random order that is the same for every kind and budget."""
    ids = sorted(image_ids)
    return [ids[number] for number in np.random.default_rng([seed, 41]).permutation(len(ids))]


def nested_pictures(
    seconds: Mapping[int, float], hours: Sequence[float], *, seed: int
) -> list[tuple[float, tuple[int, ...]]]:
    """Pictures that each budget buys.

    A budget keeps what the one before it bought, goes through the others in their order and takes each that it can
    still pay, until nine tenths are spent.

    Parameters
    ----------
    seconds : by picture; pictures without anything to annotate are left out
    hours : budgets, any order
    seed : of the order

    Returns
    -------
    list of (hours that are really spent, ids of the pictures in the order in which they were taken)
        By ascending budget.

    Raises
    ------
    InputError
        If a budget does not pay a single picture.
    """
    order = [image_id for image_id in picture_order(list(seconds), seed) if seconds[image_id] > 0]
    if not order:
        raise InputError("the truth holds no object, so there is nothing to annotate; name another file")
    chosen: dict[int, None] = {}
    spent, found = 0.0, []
    everything = sum(seconds[image_id] for image_id in order)
    for budget in sorted(hours):
        limit = budget * HOUR
        payable = limit * (1 + 1e-9)  # 0.022 h are 79.19999999999999 s, and buy a mask of 79.2 s
        for image_id in order:
            if spent >= FULL * limit and everything > limit:
                break
            if image_id not in chosen and spent + seconds[image_id] <= payable:
                chosen[image_id] = None
                spent += seconds[image_id]
        if not chosen:
            least = min(seconds[image_id] for image_id in order) / HOUR
            raise InputError(
                f"--hours {budget:g}: this does not pay a single picture (the cheapest takes {least:.2g} h); "
                "name more hours"
            )
        found.append((spent / HOUR, tuple(chosen)))
    return found


def default_hours(seconds: Sequence[Mapping[int, float]]) -> list[float]:
    """Budgets from a few pictures of the costliest kind to all pictures of the cheapest one, evenly by ratio.

    Parameters
    ----------
    seconds : of each picture, for each kind

    Returns
    -------
    list of float, hours with two or three digits; each pays for at least one picture of every kind
    """
    worth = [[value for value in one.values() if value > 0] for one in seconds]
    lowest = max(sum(one) / len(one) * min(FEWEST_PICTURES, len(one)) for one in worth) / HOUR
    lowest = max(lowest, max(min(one) for one in worth) / HOUR)
    # of very few pictures the cheapest kind is exhausted by the smallest budget
    highest = max(min(sum(one) for one in worth) / HOUR, 2 ** (STEPS - 1) * lowest)
    budgets = np.geomspace(lowest, highest, STEPS)
    return [round_up(float(budget), 2) for budget in budgets[:-1]] + [round_up(float(budgets[-1]) * 1.001, 3)]


def round_up(value: float, digits: int) -> float:
    """The next larger number of so many digits."""
    scale: float = 10.0 ** (np.floor(np.log10(value)) - digits + 1)
    return float(f"{np.ceil(round(value / scale, 6)) * scale:.{digits}g}")
