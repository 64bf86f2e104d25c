from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pointanno_models.engine.tiling import Tiling
from pointanno_models.point_sup.given_boxes import masks_of_boxes, split_by_windows


class Reader(nn.Module):
    """Answers with what it sees at the corners and the centre of each box, and with its class."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.calls: list[int] = []

    def masks_of_boxes(
        self, images: Tensor, image_sizes: list[tuple[int, int]], boxes: list[Tensor], labels: list[Tensor]
    ) -> list[Tensor]:
        self.calls.append(len(boxes[0]))
        found = []
        for box, label in zip(boxes[0], labels[0], strict=True):
            x0, y0, x1, y1 = box.tolist()
            at = [images[0, 0, int(y0), int(x0)], images[0, 0, int(y1) - 1, int(x1) - 1], label.float()]
            found.append(torch.stack([torch.stack(at)] * 3))
        return [torch.stack(found)]


@pytest.mark.parametrize("tiling", [Tiling(0, 0), Tiling(64, 24), Tiling(40, 10), Tiling(64, 24, 500)])
def test_every_box_is_asked_once_in_its_own_pixels(tiling: Tiling) -> None:
    """The picture's value at (x, y) is 1000 y + x, so the answer names the place."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:150, :200]
    image = np.repeat((1000 * rows + columns)[..., None], 3, axis=2).astype(np.float32)
    origin = rng.integers(0, (180, 130), (40, 2))
    boxes = np.concatenate([origin, np.minimum(origin + rng.integers(2, 40, (40, 2)), (200, 150))], axis=1)
    boxes[0] = (0, 0, 200, 150)  # larger than any part
    labels = rng.integers(1, 5, 40)
    reader = Reader()
    seen = dict.fromkeys(range(40), 0)
    for chosen, probs in masks_of_boxes(
        reader, image, boxes.astype(np.float32), labels, zoom=lambda size: 1.0, tiling=tiling
    ):
        for index, prob in zip(chosen.tolist(), probs, strict=True):
            seen[index] += 1
            x0, y0, x1, y1 = boxes[index].tolist()
            assert prob[0].tolist() == [1000 * y0 + x0, 1000 * (y1 - 1) + x1 - 1, labels[index]]
    assert set(seen.values()) == {1}


def test_zoom_moves_the_boxes_along() -> None:
    image = np.zeros((40, 60, 3), dtype=np.float32)
    asked: list[Tensor] = []

    class Recorder(Reader):
        def masks_of_boxes(
            self, images: Tensor, image_sizes: list[tuple[int, int]], boxes: list[Tensor], labels: list[Tensor]
        ) -> list[Tensor]:
            asked.append(boxes[0])
            assert image_sizes == [(20, 30)]
            return [torch.zeros((1, 2, 2))]

    given = np.array([[10, 20, 30, 40]], dtype=np.float32)
    list(masks_of_boxes(Recorder(), image, given, np.array([1]), zoom=lambda size: 0.5, tiling=Tiling(0, 0)))
    assert asked[0].tolist() == [[5, 10, 15, 20]]


def test_many_boxes_come_in_portions_and_none_in_none() -> None:
    image = np.zeros((64, 64, 3), dtype=np.float32)
    boxes = np.tile(np.array([[1, 1, 9, 9]], dtype=np.float32), (300, 1))
    reader = Reader()
    found = list(
        masks_of_boxes(reader, image, boxes, np.ones(300, np.int64), zoom=lambda size: 1.0, tiling=Tiling(0, 0))
    )
    assert reader.calls == [256, 44] and [len(chosen) for chosen, _ in found] == [256, 44]
    nothing = np.zeros((0, 4), dtype=np.float32)
    empty = masks_of_boxes(reader, image, nothing, np.zeros(0, np.int64), zoom=lambda size: 1.0, tiling=Tiling(0, 0))
    assert not list(empty)


def test_a_box_is_done_where_it_has_room_around() -> None:
    """Parts of 64 begin at 0, 40, 80, 100 of 164: 48..52 is 12 from the first's end, 8 from the second's start."""
    boxes = np.array([[48, 4, 52, 8], [70, 4, 74, 8], [0, 0, 4, 4]], dtype=np.float32)
    windows = {window: chosen.tolist() for window, chosen in split_by_windows(boxes, (64, 164), Tiling(64, 24))}
    assert windows[(0, 0, 64, 64)] == [0, 2]
    assert windows[(0, 40, 64, 104)] == [1]
