"""Shapes, starts and gradients of the parts of the network, on tiny settings."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from pointanno_models.psps.encoder import Encoder, Neck, cell_centers, valid_cells
from pointanno_models.psps.location_decoder import LocationDecoder
from pointanno_models.psps.mask_decoder import LevelFusion, MaskStack
from pointanno_models.psps.network import PSPSNetwork
from pointanno_models.psps.outputs import Memory, NetworkOutputs
from pointanno_models.psps.recipe import NetworkSettings

SETTINGS = NetworkSettings(
    backbone="resnet18",
    weights="none",
    norm="group",
    first_stage=3,
    last_stage=5,
    frozen_stages=0,
    extra_level=True,
    channels=16,
    heads=4,
    points=2,
    ffn_channels=32,
    dropout=0.0,
    encoder_layers=2,
    location_layers=3,
    queries=7,
    thing_layers=2,
    stuff_layers=3,
    semantic_layers=2,
    embedding_channels=8,
    mask_activation="leaky",
)


def first_queries(count: int) -> object:
    return lambda outputs: torch.arange(count).expand(len(outputs.memory.tokens), -1)


def run(
    network: PSPSNetwork, images: Tensor, sizes: list[tuple[int, int]], count: int = 4
) -> tuple[NetworkOutputs, Tensor]:
    outputs, things = network.run(images, sizes, first_queries(count), with_labels=True)  # type: ignore[arg-type]
    return outputs, things.masks


def random_memory(sizes: tuple[tuple[int, int], ...], channels: int = 16, batch: int = 2) -> Memory:
    cells = sum(rows * columns for rows, columns in sizes)
    return Memory(
        tokens=torch.randn(batch, cells, channels),
        positions=torch.randn(batch, cells, channels),
        is_valid=torch.ones(batch, cells, dtype=torch.bool),
        sizes=sizes,
        valid_ratios=torch.ones(batch, len(sizes), 2),
    )


def test_shapes_of_all_outputs() -> None:
    torch.manual_seed(0)
    network = PSPSNetwork(SETTINGS, 3, num_things=3, num_stuff=2)
    outputs, things = run(network, torch.randn(2, 3, 96, 64), [(96, 64), (70, 50)])
    assert network.stride == 8
    assert outputs.memory.sizes == ((12, 8), (6, 4), (3, 2), (2, 1))
    assert outputs.memory.tokens.shape == outputs.memory.positions.shape == (2, 96 + 24 + 6 + 2, 16)
    assert outputs.location.class_logits.shape == (3, 2, 7, 3)
    assert outputs.location.boxes.shape == (3, 2, 7, 4)
    assert outputs.location.boxes.min() >= 0 and outputs.location.boxes.max() <= 1
    assert things.shape == (2, 2, 4, 12, 8)
    assert outputs.stuff is not None and outputs.semantic is not None and outputs.embedding is not None
    assert outputs.stuff.masks.shape == (3, 2, 2, 12, 8)
    assert outputs.stuff.class_logits is not None and outputs.stuff.class_logits.shape == (3, 2, 2)
    assert outputs.semantic.logits.shape == (2, 2, 5, 12, 8)
    assert outputs.semantic.presence_logits.shape == (2, 2, 5)
    assert outputs.embedding.shape == (2, 8, 12, 8)
    torch.testing.assert_close(outputs.embedding.norm(dim=1), torch.ones(2, 12, 8))


def test_masks_are_zero_in_the_padding() -> None:
    """70 of 96 rows are valid: 9 of 12 rows of cells hold a valid pixel; 50 of 64 columns: 7 of 8."""
    torch.manual_seed(0)
    network = PSPSNetwork(SETTINGS, 3, num_things=3, num_stuff=2)
    outputs, things = run(network, torch.randn(2, 3, 96, 64), [(96, 64), (70, 50)])
    expected = torch.zeros(12, 8, dtype=torch.bool)
    expected[:9, :7] = True
    assert torch.equal(outputs.memory.is_valid_cell[1], expected)
    assert outputs.memory.is_valid_cell[0].all()
    assert not things[:, 1, :, ~expected].any()
    assert outputs.stuff is not None and not outputs.stuff.masks[:, 1, :, ~expected].any()


def test_without_stuff_and_without_things() -> None:
    torch.manual_seed(0)
    images = torch.randn(1, 3, 64, 64)
    outputs, _ = run(PSPSNetwork(SETTINGS, 3, num_things=2, num_stuff=0), images, [(64, 64)])
    assert outputs.stuff is None
    outputs, _ = run(PSPSNetwork(SETTINGS, 3, num_things=0, num_stuff=2), images, [(64, 64)])
    assert outputs.location.class_logits.shape[-1] == 1


def test_prediction_needs_no_labels() -> None:
    network = PSPSNetwork(SETTINGS, 3, num_things=2, num_stuff=1).eval()
    outputs, _ = network.run(torch.randn(1, 3, 64, 64), [(64, 64)], first_queries(1), with_labels=False)  # type: ignore[arg-type]
    assert outputs.semantic is None and outputs.embedding is None


def test_levels_of_small_pictures() -> None:
    """Stages 2 to 4 have strides 4, 8, 16."""
    network = PSPSNetwork(replace(SETTINGS, first_stage=2, last_stage=4, extra_level=False), 3, 2, 1)
    outputs, _ = run(network, torch.randn(1, 3, 64, 64), [(64, 64)])
    assert network.stride == 4
    assert outputs.memory.sizes == ((16, 16), (8, 8), (4, 4))


def test_class_and_box_heads_begin_as_published() -> None:
    """Classes at a probability of 0.01; boxes at the reference, with width and height sigmoid(-2) = 0.1192."""
    torch.manual_seed(0)
    network = PSPSNetwork(SETTINGS, 3, num_things=3, num_stuff=2)
    decoder = network.location_decoder
    for head in decoder.class_heads:
        assert isinstance(head, torch.nn.Linear)
        torch.testing.assert_close(head.bias.sigmoid(), torch.full((3,), 0.01))
    memory = random_memory(((4, 4), (2, 2), (1, 1), (1, 1)))
    boxes = decoder(memory).boxes
    for layer in boxes:
        torch.testing.assert_close(layer[0, :, 2:], torch.full((7, 2), 1 / (1 + math.exp(2))))
        torch.testing.assert_close(layer[0, :, :2], decoder.reference_points(decoder.position).sigmoid())
    assert network.stuff_stack is not None
    for head in network.stuff_stack.class_heads:
        assert isinstance(head, torch.nn.Linear)
        torch.testing.assert_close(head.bias.sigmoid(), torch.full((1,), 0.01))


def test_boxes_of_a_layer_are_constants_for_the_next() -> None:
    """Each layer's head learns its own change: the last layer's boxes do not teach the first one's head."""
    torch.manual_seed(0)
    decoder = LocationDecoder(SETTINGS, 4, 2)
    boxes = decoder(random_memory(((4, 4), (2, 2), (1, 1), (1, 1)))).boxes
    boxes[-1].sum().backward()
    gradients = [parameter.grad for name, parameter in decoder.named_parameters() if name.endswith("output.bias")]
    heads = [gradient for gradient in gradients[-3:] if gradient is not None]
    assert [bool(gradient.any()) for gradient in heads] == [False, False, True]


def test_padding_changes_nothing_in_the_encoder_and_the_decoders() -> None:
    """The same maps on a larger canvas, with rubbish in the padding: equal in the valid part."""
    torch.manual_seed(0)
    settings = replace(SETTINGS, extra_level=False)
    encoder = Encoder(settings, (8, 16, 32)).eval()
    stack = MaskStack(settings, 2, 3, has_self_attention=True, gives_states=True).eval()
    decoder = LocationDecoder(settings, 3, 2).eval()
    small = [torch.randn(1, 16, 64 // stride, 96 // stride) for stride in (8, 16, 32)]
    large = []
    for level, stride in zip(small, (8, 16, 32), strict=True):
        canvas = torch.full((1, 16, 128 // stride, 128 // stride), 50.0)
        canvas[:, :, : level.shape[2], : level.shape[3]] = level
        large.append(canvas)
    queries = torch.randn(1, 3, 16)
    one, two = encoder(small, [(64, 96)]), encoder(large, [(64, 96)])
    finest = two.tokens[:, : 16 * 16].reshape(1, 16, 16, 16)[:, :8, :12].reshape(1, 96, 16)
    torch.testing.assert_close(finest, one.tokens[:, :96], atol=1e-4, rtol=1e-4)
    masks, _ = stack(one, queries)
    padded, _ = stack(two, queries)
    # between the outermost cells the coarse levels are interpolated with what lies beyond them
    torch.testing.assert_close(padded[..., :6, :10], masks[..., :6, :10], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(decoder(two).class_logits, decoder(one).class_logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(decoder(two).boxes, decoder(one).boxes, atol=1e-4, rtol=1e-4)


def test_cells_and_their_centres() -> None:
    """A level of one row and four cells of which half is valid: centres at 1/8, 3/8, 5/8, 7/8 of the level."""
    assert valid_cells([(5, 9)], (2, 4), 4, torch.device("cpu"))[0].tolist() == [
        [True, True, True, False],
        [True, True, True, False],
    ]
    centers = cell_centers([(1, 4), (1, 2)], torch.tensor([[[0.5, 1.0], [0.25, 1.0]]]))
    torch.testing.assert_close(centers[0, :4, 0, 0], torch.tensor([0.125, 0.375, 0.625, 0.875]))
    # on the other level the valid part is half as wide
    torch.testing.assert_close(centers[0, :4, 1, 0], torch.tensor([0.0625, 0.1875, 0.3125, 0.4375]))


def test_neck_adds_a_level_from_the_backbones_own_map() -> None:
    neck = Neck([8, 12], 32, has_extra_level=True)
    maps = neck([torch.randn(1, 8, 8, 6), torch.randn(1, 12, 4, 3)])
    assert [tuple(level.shape) for level in maps] == [(1, 32, 8, 6), (1, 32, 4, 3), (1, 32, 2, 2)]
    assert isinstance(neck.levels[2], torch.nn.Sequential)
    assert neck.levels[2][0].weight.shape == (32, 12, 3, 3)


@pytest.mark.parametrize("activation", ["leaky", "relu", "sigmoid"])
def test_fusion_is_that_of_convolutions_after_the_enlarging(activation: str) -> None:
    """The published order: 1 x 1 convolution and ReLU, enlarge, concatenate, 1 x 1 convolution, activation."""
    torch.manual_seed(0)
    sizes = ((6, 4), (3, 2), (2, 1))
    fusion = LevelFusion(4, 3, activation).train()
    torch.nn.init.constant_(fusion.fuse.bias, 0.1)
    attention = torch.randn(2, 4, 5, 24 + 6 + 2)
    found = fusion(attention, sizes, torch.ones(2, 6, 4, dtype=torch.bool))
    enlarged = []
    for part, size, layer in zip(attention.split([24, 6, 2], dim=3), sizes, fusion.levels, strict=True):
        maps = part.permute(0, 2, 1, 3).reshape(10, 4, *size)
        assert isinstance(layer, torch.nn.Linear)
        mixed = functional.conv2d(maps, layer.weight[:, :, None, None], layer.bias).relu()
        enlarged.append(functional.interpolate(mixed, size=sizes[0], mode="bilinear", align_corners=False))
    score = functional.conv2d(torch.cat(enlarged, dim=1), fusion.fuse.weight[:, :, None, None], fusion.fuse.bias)
    last = {"relu": score.relu(), "sigmoid": score.sigmoid(), "leaky": functional.leaky_relu(score, 0.01)}
    torch.testing.assert_close(found, last[activation].reshape(2, 5, 6, 4), atol=1e-5, rtol=1e-5)


def test_leaky_masks_are_not_negative_in_prediction() -> None:
    torch.manual_seed(0)
    fusion = LevelFusion(2, 1, "leaky")
    attention, valid = torch.randn(1, 2, 4, 9), torch.ones(1, 3, 3, dtype=torch.bool)
    with torch.no_grad():
        fusion.fuse.bias.fill_(-0.2)
    assert fusion.train()(attention, ((3, 3),), valid).min() < 0
    assert fusion.eval()(attention, ((3, 3),), valid).min() == 0


def learn_dead_masks(activation: str) -> float:
    """Largest Dice loss of two layers and two queries after 80 steps on two blobs, all masks negative at first."""
    torch.manual_seed(0)
    settings = replace(SETTINGS, extra_level=False, mask_activation=activation)
    rows, columns = torch.meshgrid(torch.arange(12), torch.arange(12), indexing="ij")
    blobs = torch.stack([(rows - 3) ** 2 + (columns - 3) ** 2 < 8, (rows - 8) ** 2 + (columns - 7) ** 2 < 8]).float()
    tokens = functional.conv2d(blobs[None], torch.randn(16, 2, 1, 1)).flatten(2).transpose(1, 2)
    known = torch.ones(1, 144, dtype=torch.bool)
    memory = Memory(tokens, torch.zeros_like(tokens), known, ((12, 12),), torch.ones(1, 1, 2))
    stack = MaskStack(settings, 2, 1, has_self_attention=False, gives_states=False).train()
    for name, parameter in stack.named_parameters():
        if name.endswith("fuse.bias"):
            torch.nn.init.constant_(parameter, -2.0)
    queries = torch.nn.Parameter(torch.randn(1, 2, 16))
    optimizer = torch.optim.AdamW([*stack.parameters(), queries], lr=1e-2)
    worst = 1.0
    for _ in range(80):
        masks = stack(memory, queries)[0][:, 0]
        overlap = 2 * (masks * blobs).sum(dim=(2, 3))
        dice = 1 - overlap / (masks.square().sum(dim=(2, 3)) + blobs.sum(dim=(1, 2)) + 2e-3)
        optimizer.zero_grad()
        dice.sum().backward()
        optimizer.step()
        worst = dice.detach().max().item()
    return worst


def test_masks_that_are_nowhere_positive_come_to_life_but_under_relu() -> None:
    """Under ReLU they have no gradient, and their Dice loss stays 1 for ever."""
    assert learn_dead_masks("leaky") < 0.1
    assert learn_dead_masks("sigmoid") < 0.1
    assert learn_dead_masks("relu") == 1.0
