from __future__ import annotations

import colorsys

import pytest

from napari_pointanno.palette import ANSWER_COLORS, ANSWER_SYMBOLS, CLASS_COLORS, category_colors, instance_color
from pointanno.dataset import Category


def test_own_colours_win() -> None:
    colors = category_colors([Category(7, "a", True, color=(1, 2, 3)), Category(9, "b", False)])
    assert colors == {7: (1, 2, 3), 9: CLASS_COLORS[1]}


def test_answers_differ_in_more_than_colour() -> None:
    assert set(ANSWER_COLORS) == set(ANSWER_SYMBOLS)
    assert len({ANSWER_SYMBOLS[value] for value in ("object", "background", "unsure")}) == 3


@pytest.mark.parametrize("color", CLASS_COLORS[:6])
def test_instances_share_the_hue_and_differ_in_lightness(color: tuple[int, int, int]) -> None:
    hue = colorsys.rgb_to_hls(*(value / 255 for value in color))[0]
    tones = [colorsys.rgb_to_hls(*instance_color(color, index, isthing=True)[:3]) for index in range(5)]
    assert [tone[0] for tone in tones] == pytest.approx([hue] * 5)
    assert len({round(tone[1], 3) for tone in tones}) == 5


def test_stuff_is_thinner() -> None:
    assert instance_color((200, 30, 30), 1, isthing=False)[3] < instance_color((200, 30, 30), 1, isthing=True)[3]
