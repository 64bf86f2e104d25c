from __future__ import annotations

import numpy as np
import pytest
import torch

from pointanno.dataset import Box, Points
from pointanno_models.point_sup.pseudo_labels import count_contradictions, make_pseudo_mask, write_answers


def points(*entries: tuple[int, int, int]) -> Points:
    """From (x, y, label)."""
    values = np.array(entries, dtype=np.int32).reshape(-1, 3)
    return Points.answered(values[:, :2], values[:, 2], source="test")


def picture(*rows: str) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    return np.array([[cell == "#" for cell in row] for row in rows])


def test_contradictions_by_hand() -> None:
    """Box 2..6 x 4..7, its pixels begin at row 4, column 2; the mask is its left half.

    (2, 4) object: agrees. (5, 6) background: agrees. (5, 4) object: contradicted. (3, 5) background: contradicted.
    (4, 4) unanswered. (6, 4): its centre 6.5 lies outside of the box, like (1, 5) at 1.5.
    """
    drawn = picture("##..", "##..", "##..")
    given = points((2, 4, 1), (5, 6, 0), (5, 4, 1), (3, 5, 0), (4, 4, -1), (6, 4, 1), (1, 5, 1))
    assert count_contradictions(drawn, (4, 2), Box(2, 4, 6, 7), given) == (2, 4)
    assert count_contradictions(drawn, (4, 2), Box(2, 4, 6, 7), points()) == (0, 0)


def test_point_of_a_pixel_that_the_box_cuts() -> None:
    """The box begins at x = 2.6: the centre of pixel 2 lies outside, so nothing can be said about it."""
    assert count_contradictions(picture("...."), (4, 2), Box(2.6, 4, 6, 5), points((2, 4, 1), (3, 4, 1))) == (1, 1)


def test_answers_are_squares_inside_the_box() -> None:
    drawn = picture("......", "......", "......", "......")
    # in the corner of the box, whose pixels begin at row 10, column 20; one outside of it reaches in by a column
    corrected = write_answers(drawn, (10, 20), points((20, 10, 1), (26, 12, 1), (23, 12, -1)), 3)
    assert (corrected == picture("##....", "##...#", ".....#", ".....#")).all()
    assert not drawn.any(), "the given mask stays"
    assert (
        write_answers(drawn, (10, 20), points((22, 11, 1)), 1) == picture("......", "..#...", "......", "......")
    ).all()


def test_where_answers_meet_the_network_decides_between_them() -> None:
    """Object at x = 1, background at x = 3: column 2 lies in both squares and stays as it was drawn."""
    for before in (picture("......", "......", "......"), picture("######", "######", "######")):
        corrected = write_answers(before, (0, 0), points((1, 1, 1), (3, 1, 0)), 3)
        assert corrected[:, :2].all() and not corrected[:, 3:5].any()
        assert (corrected[:, 2] == before[:, 2]).all() and (corrected[:, 5] == before[:, 5]).all()


def test_neighbouring_answers_keep_their_own_pixels() -> None:
    corrected = write_answers(picture("....", "....", "...."), (0, 0), points((1, 1, 1), (2, 1, 0)), 3)
    assert corrected[1, 1] and not corrected[1, 2] and corrected[:, 0].all() and not corrected[:, 3].any()
    twice = write_answers(
        picture(
            "#..",
        ),
        (0, 0),
        points((0, 0, 0), (0, 0, 1)),
        1,
    )
    assert (twice == picture("#..")).all(), "two answers for one pixel say nothing"


def test_mask_of_a_box_is_pasted_compared_and_corrected() -> None:
    """Left half of the box 2..6 x 4..8 by the network; the answer at its right end is written into it."""
    probs = torch.tensor([[1.0, 1.0, 0.0, 0.0]] * 4)
    given = points((2, 5, 1), (5, 6, 1))
    made = make_pseudo_mask(probs, Box(2, 4, 6, 8), given, (20, 30), threshold=0.5, answer_size=1)
    assert made.mask.origin == (4, 2) and (made.contradicted, made.answered) == (1, 2) and made.share == 0.5
    assert (made.mask.patch.astype(bool) == picture("##..", "##..", "##.#", "##..")).all() and not made.is_empty


def test_empty_mask_disagrees_entirely_and_becomes_its_box() -> None:
    nothing = torch.zeros((4, 4))
    made = make_pseudo_mask(nothing, Box(2, 4, 6, 8), points((3, 5, 0)), (20, 30), threshold=0.5, answer_size=3)
    assert made.is_empty and made.share == 1.0 and made.contradicted == 0
    assert made.mask.patch.all() and made.mask.patch.shape == (4, 4)


@pytest.mark.parametrize("box", [Box(-1.0, -2.0, 3.0, 2.0), Box(28.0, 18.0, 30.0, 20.0)])
def test_box_at_the_border_of_the_picture(box: Box) -> None:
    corner = points((0, 0, 1), (29, 19, 1))
    made = make_pseudo_mask(torch.ones((4, 4)), box, corner, (20, 30), threshold=0.5, answer_size=3)
    (top, left), (height, width) = made.mask.origin, made.mask.patch.shape
    assert top >= 0 and left >= 0 and top + height <= 20 and left + width <= 30
    assert (made.contradicted, made.answered) == (0, 1)
