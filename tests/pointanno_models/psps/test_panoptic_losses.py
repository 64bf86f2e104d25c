"""Losses of the panoptic branch against loops over layers, pictures and targets; acceptance check H of PSPS."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import generalized_box_iou

from pointanno_models.layers import shared_batch
from pointanno_models.psps.matching import Match, MatchingSettings, match_layers
from pointanno_models.psps.outputs import LocationOutputs, MaskOutputs, PanopticTargets
from pointanno_models.psps.panoptic_losses import count_targets, location_losses, loss_thing_mask, stuff_losses
from pointanno_models.psps.targets import targets_from_masks

THINGS, STUFF, QUERIES, LAYERS, STRIDE = 3, 2, 5, 2, 4
SIZE, GRID = (18, 21), (6, 7)


def _targets(labels: Sequence[int], seed: int = 0, void: float = 0.1) -> PanopticTargets:
    """Masks of random pixels."""
    rng = torch.Generator().manual_seed(seed)
    owner = torch.randint(0, max(len(labels), 1), SIZE, generator=rng)
    owner[torch.rand(SIZE, generator=rng) < void] = -1
    masks = owner[None] == torch.arange(len(labels))[:, None, None]
    classes = torch.tensor(labels, dtype=torch.int64)
    return targets_from_masks(masks, classes, classes < THINGS)


def _location(pictures: int, seed: int = 0) -> LocationOutputs:
    rng = torch.Generator().manual_seed(seed)
    logits = torch.randn((LAYERS, pictures, QUERIES, THINGS), generator=rng, dtype=torch.float64)
    boxes = torch.rand((LAYERS, pictures, QUERIES, 4), generator=rng, dtype=torch.float64) * 0.4 + 0.3
    return LocationOutputs(logits.requires_grad_(), boxes.requires_grad_(), torch.zeros(pictures, QUERIES, 8))


def _match(location: LocationOutputs, targets: Sequence[PanopticTargets]) -> list[list[Match]]:
    return match_layers(
        location.class_logits,
        location.boxes,
        [target.thing_labels for target in targets],
        [target.thing_boxes for target in targets],
        MatchingSettings(),
    )


def _focal(logits: Tensor, wanted: Tensor) -> float:
    """Element by element."""
    total = 0.0
    for logit, is_positive in zip(logits.flatten().tolist(), wanted.flatten().tolist(), strict=True):
        p = 1 / (1 + math.exp(-logit))
        total -= 0.25 * (1 - p) ** 2 * math.log(p) if is_positive else 0.75 * p**2 * math.log(1 - p)
    return total


def _dice(mask: Tensor, target: Tensor, counted: Tensor | None = None) -> float:
    """Enlarged by torch, then summed."""
    rows, columns = -(-SIZE[0] // STRIDE), -(-SIZE[1] // STRIDE)
    cut = mask[None, None, :rows, :columns]
    fine = functional.interpolate(cut, scale_factor=STRIDE, mode="bilinear", align_corners=False)[0, 0]
    p, t = fine[: SIZE[0], : SIZE[1]], target.double()
    w = torch.ones(SIZE) if counted is None else counted.double()
    return float(1 - 2 * (w * p * t).sum() / ((w * p * p).sum() + (w * t * t).sum() + 2e-3))


BATCHES = [
    pytest.param([_targets([0, 2, 2, 3]), _targets([1, 4, 3], 1)], id="things and stuff"),
    pytest.param([_targets([3, 4]), _targets([0], 1)], id="a picture without things, one without stuff"),
    pytest.param([_targets([]), _targets([1, 1], 1)], id="a picture without clicks"),
    pytest.param([_targets([3])], id="no things"),
    pytest.param([_targets([0])], id="one target"),
    pytest.param([_targets([])], id="nothing"),
    pytest.param([_targets([0] * 7)], id="more things than queries"),
]


@pytest.mark.parametrize("targets", BATCHES)
def test_location(targets: list[PanopticTargets]) -> None:
    location = _location(len(targets))
    matches = _match(location, targets)
    counts = count_targets(targets, matches[-1], location.boxes)
    found = location_losses(location, matches, targets, counts)
    pairs = max(1, sum(len(match.queries) for match in matches[-1]))
    focal = box = giou = 0.0
    for layer in range(LAYERS):
        for b, match in enumerate(matches[layer]):
            wanted = torch.zeros(QUERIES, THINGS)
            for q, n in zip(match.queries.tolist(), match.targets.tolist(), strict=True):
                wanted[q, targets[b].thing_labels[n]] = 1
                own, other = location.boxes[layer, b, q].detach(), targets[b].thing_boxes[n].double()
                box += float((own - other).abs().sum())
                corners = [torch.stack([*(v[:2] - v[2:] / 2), *(v[:2] + v[2:] / 2)])[None] for v in (own, other)]
                giou += 1 - float(generalized_box_iou(*corners))
            focal += _focal(location.class_logits[layer, b].detach(), wanted)
    assert [loss.item() for loss in found] == pytest.approx([focal / pairs, box / pairs, giou / pairs], rel=1e-5)
    sum(found).backward()  # type: ignore[union-attr]
    for leaf in (location.class_logits, location.boxes):
        assert leaf.grad is not None and leaf.grad.isfinite().all()


def test_focal_at_zero() -> None:
    """One positive at 0.04332 and the other 14 scores of a picture at 0.12997 each."""
    targets = [_targets([0])]
    zero = _location(1)
    location = LocationOutputs(torch.zeros(1, 1, QUERIES, THINGS), zero.boxes[:1].detach(), zero.states)
    matches = _match(location, targets)
    counts = count_targets(targets, matches[-1], location.boxes)
    assert location_losses(location, matches, targets, counts)[0].item() == pytest.approx(
        0.04332 + 14 * 0.12997, abs=2e-4
    )


@pytest.mark.parametrize("targets", BATCHES)
def test_masks_of_things(targets: list[PanopticTargets]) -> None:
    location = _location(len(targets))
    matches = _match(location, targets)[-1]
    counts = count_targets(targets, matches, location.boxes)
    width = max([1, *(len(match.queries) for match in matches)])
    rng = torch.Generator().manual_seed(1)
    masks = torch.rand((LAYERS, len(targets), width, *GRID), generator=rng, dtype=torch.float64) * 1.4 - 0.1
    masks.requires_grad_()
    loss = loss_thing_mask(masks, matches, targets, counts, stride=STRIDE)
    expected, pairs = 0.0, 0
    for b, match in enumerate(matches):
        for row, n in enumerate(match.targets.tolist()):
            pairs += 1
            expected += sum(_dice(layer[b, row].detach(), targets[b].thing_masks[n]) for layer in masks)
    assert loss.item() == pytest.approx(expected / max(pairs, 1), rel=1e-6)
    loss.backward()
    assert masks.grad is not None and masks.grad.isfinite().all()
    for b, match in enumerate(matches):
        reached = masks.grad[:, b].abs().sum(dim=(0, 2, 3)) > 0
        assert reached.tolist() == [row < len(match.queries) for row in range(width)], "fillers learn nothing"


@pytest.mark.parametrize("targets", BATCHES)
@pytest.mark.parametrize("ignored_is_negative", [True, False])
def test_stuff(targets: list[PanopticTargets], ignored_is_negative: bool) -> None:
    rng = torch.Generator().manual_seed(2)
    masks = torch.rand((LAYERS, len(targets), STUFF, *GRID), generator=rng, dtype=torch.float64).requires_grad_()
    logits = torch.randn((LAYERS, len(targets), STUFF), generator=rng, dtype=torch.float64).requires_grad_()
    no_match = [Match(torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)) for _ in targets]
    counts = count_targets(targets, no_match, masks)
    found = stuff_losses(
        MaskOutputs(masks, logits),
        targets,
        counts,
        first_label=THINGS,
        stride=STRIDE,
        ignored_is_negative=ignored_is_negative,
    )
    dice, present, wanted = 0.0, 0, torch.zeros_like(logits)
    for b, target in enumerate(targets):
        counted = None if ignored_is_negative else ~target.ignored
        for mask, label in zip(target.stuff_masks, target.stuff_labels.tolist(), strict=True):
            present += 1
            wanted[:, b, label - THINGS] = 1
            dice += sum(_dice(layer[b, label - THINGS].detach(), mask, counted) for layer in masks)
    expected = [dice / max(present, 1), _focal(logits.detach(), wanted) / max(present, 1)]
    assert [loss.item() for loss in found] == pytest.approx(expected, rel=1e-6)
    sum(found).backward()  # type: ignore[union-attr]
    assert masks.grad is not None and masks.grad.isfinite().all()
    assert logits.grad is not None and (logits.grad != 0).all()


def test_ignored_pixels_differ() -> None:
    """A mask that covers ignored pixels too is right if they count nothing, and wrong if they are negatives."""
    target = _targets([3], void=0.5)
    full = MaskOutputs(torch.ones(1, 1, STUFF, *GRID), torch.zeros(1, 1, STUFF))
    none = [Match(torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64))]
    counts = count_targets([target], none, full.masks)
    losses = [
        stuff_losses(full, [target], counts, first_label=THINGS, stride=STRIDE, ignored_is_negative=switch)[0].item()
        for switch in (True, False)
    ]
    assert losses[0] > 0.2
    assert losses[1] == pytest.approx(0, abs=1e-4)


def test_stuff_without_presence_is_refused() -> None:
    with pytest.raises(ValueError, match="stuff masks need class_logits"):
        stuff_losses(
            MaskOutputs(torch.zeros(1, 1, STUFF, *GRID), None),
            [_targets([3])],
            count_targets([], [], torch.zeros(1)),
            first_label=THINGS,
            stride=STRIDE,
        )


def test_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three things with a query and one stuff class: 3/4 and 1/4; of nothing both are 0."""
    targets = [_targets([0, 1, 3]), _targets([2], 1)]
    matches = _match(_location(2), targets)[-1]
    like = torch.zeros(1)
    counts = count_targets(targets, matches, like)
    assert (counts.things.item(), counts.stuff.item()) == (3, 1)
    assert (counts.thing_share.item(), counts.stuff_share.item()) == (0.75, 0.25)
    nothing = count_targets([_targets([])], [matches[0]][:0], like)
    assert [v.item() for v in (nothing.things, nothing.stuff, nothing.thing_share, nothing.stuff_share)] == [1, 1, 0, 0]
    # another process has five things and three stuff classes: means of 4 and 2
    monkeypatch.setattr(shared_batch, "process_count", lambda: 2)
    monkeypatch.setattr(shared_batch, "_gather", lambda rows: torch.cat([rows, torch.tensor([[5.0, 3.0]])]))
    counts = count_targets(targets, matches, like)
    assert (counts.things.item(), counts.stuff.item()) == (4, 2)
    assert counts.thing_share.item() == pytest.approx(4 / 6)
