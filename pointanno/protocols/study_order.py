"""Who does what in which order: Latin squares balanced for what comes before, and pictures dealt into blocks.

Everything follows from the seed and the names alone, by SHA-256: no generator of random numbers is asked, so that the
same plan means the same order on every platform and in every version.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

T = TypeVar("T")


def shuffled(items: Iterable[T], *key: object) -> tuple[T, ...]:
    """The items in an order that looks random and follows from the key and their names.

    Parameters
    ----------
    items : with different names (`str`)
    key : what else the order depends on: a seed, a purpose, the number of a person
    """
    head = "\0".join(str(part) for part in ("pointanno study", *key))

    def place(item: T) -> bytes:
        return hashlib.sha256(f"{head}\0{item}".encode()).digest()

    return tuple(sorted(items, key=place))


def williams_rows(count: int) -> tuple[tuple[int, ...], ...]:
    """Orders of so many treatments in which each precedes each other one equally often.

    Returns
    -------
    tuple of rows
        One Latin square (`count` rows) if `count` is even, two of them (``2 * count`` rows) if it is odd: no single
        square is balanced then.

    Raises
    ------
    ValueError
        If `count` is below 1.

    Notes
    -----
    E. J. Williams, *Experimental designs balanced for the estimation of residual effects of treatments* (Australian
    Journal of Scientific Research A 2, 1949, 149-168): n replications where n is even, 2n where it is odd. The first
    row goes up and down in turn (0, 1, n-1, 2, n-2, ...), so that its steps modulo n are all different; every other
    row adds a constant. The second square has the rows of the first one backwards.
    """
    if count < 1:
        raise ValueError(f"count: expected at least 1 treatment, received {count}")
    first = [0]
    for step in range(1, count):
        first.append((step + 1) // 2 if step % 2 else count - step // 2)
    square = [tuple((one + shift) % count for one in first) for shift in range(count)]
    if count % 2 and count > 1:
        square += [tuple(reversed(row)) for row in square]
    return tuple(square)


def dealt(names: Sequence[str], hands: int, marked: Iterable[str] = ()) -> tuple[tuple[str, ...], ...]:
    """The names dealt out in turn; the hands differ by one name at most, and by one that is marked.

    Parameters
    ----------
    names : in the order in which they are dealt
    hands : how many get some
    marked : names that are to be spread evenly, too
    """
    chosen = set(marked)
    row = [*(name for name in names if name in chosen), *(name for name in names if name not in chosen)]
    return tuple(tuple(row[number::hands]) for number in range(hands))


def treatment_orders(count: int, people: int, *key: object) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    """For each person the treatments of the blocks, and the hand of pictures that belongs to each block.

    Which number stands for which treatment, and who gets which row, is shuffled by the key. Whatever the number of
    people, it is balanced as far as it goes: in every whole round of `count` people each treatment stands once at
    every place and meets every hand once; over all rows of the Williams design each treatment precedes each other one
    equally often; over `count` times as many people each hand also stands equally often at each place of each
    treatment.

    Parameters
    ----------
    count : of treatments, and of hands
    people : how many
    key : seed and purpose

    Returns
    -------
    tuple of (treatments, hands) for each person
    """
    return tuple(orders_of_person(count, person, *key) for person in range(people))


def orders_of_person(count: int, person: int, *key: object) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What `treatment_orders` says of one person, from 0 on, without asking about all who come before."""
    rows = williams_rows(count)
    label = shuffled(range(count), *key, "treatments")
    cycle, place = divmod(person, len(rows))
    square, within = divmod(place, count)
    # rows are shuffled within each Latin square only, so that whole rounds stay balanced
    number = square * count + shuffled(range(count), *key, "rows", cycle, square)[within]
    return tuple(label[one] for one in rows[number]), tuple((one + number + cycle) % count for one in rows[number])
