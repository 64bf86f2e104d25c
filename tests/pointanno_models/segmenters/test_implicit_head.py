"""Implicit PointRend on its own: acceptance checks 7 to 10 of PointSup, and the frame of its masks."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from pointanno_models.segmenters import implicit_head
from pointanno_models.segmenters.implicit_head import (
    ImplicitMaskHead,
    ImplicitSettings,
    PointNetworks,
    PositionalEncoding,
    loss_l2,
    random_mask_points,
)

SMALL = ImplicitSettings(head_channels=8, head_fc_channels=12, frequencies=4, hidden_channels=6)


@pytest.mark.parametrize(
    ("sizes", "parameters"),
    [
        ((512, 256, 256, 256, 80), 283_472),
        ((512, 256, 256, 256, 1), 263_169),
        ((96, 32, 32, 1), 4_193),
    ],
)
def test_number_of_made_weights(sizes: tuple[int, ...], parameters: int) -> None:
    """Check 7: 512 * 256 + 2 * 256 ** 2 + 256 * C + 3 * 256 + C, and the small head."""
    assert PointNetworks(sizes).num_parameters == parameters


def test_settings_make_networks_of_these_sizes() -> None:
    """Check 7, from the settings: the recipe `small_implicit` makes 4193 weights, `paper_implicit` 283,472."""
    assert ImplicitMaskHead(64, 80, ImplicitSettings(), 4).networks.num_parameters == 4_193
    paper = ImplicitSettings(frequencies=128, hidden_channels=256, hidden_layers=3, class_agnostic=False)
    with torch.device("meta"):  # the last linear layer of the published size has 290 million weights
        head = ImplicitMaskHead(256, 80, dataclasses.replace(paper, head_fc_channels=1024, template_init=False), 4)
    assert head.networks.num_parameters == 283_472
    assert tuple(head.parameter_head.weights.weight.shape) == (283_472, 1024)


def test_centre_of_the_box_is_zeros_then_ones_and_the_projection_is_saved(tmp_path: Path) -> None:
    """Check 8."""
    torch.manual_seed(3)
    encoding = PositionalEncoding(16)
    at_centre = encoding(torch.tensor([[[0.5, 0.5]]]))[0, :, 0]
    torch.testing.assert_close(at_centre, torch.cat([torch.zeros(16), torch.ones(16)]), atol=1e-6, rtol=0)
    elsewhere = encoding(torch.tensor([[[0.7, 0.1]]]))[0, :, 0]
    turns = 2 * torch.pi * (0.4 * encoding.projection[0] - 0.8 * encoding.projection[1])
    torch.testing.assert_close(elsewhere, torch.cat([turns.sin(), turns.cos()]), atol=1e-5, rtol=0)
    torch.manual_seed(3)
    torch.testing.assert_close(PositionalEncoding(16).projection, encoding.projection)
    save_file(encoding.state_dict(), tmp_path / "encoding.safetensors")
    other = PositionalEncoding(16)
    assert not torch.equal(other.projection, encoding.projection)
    other.load_state_dict(load_file(tmp_path / "encoding.safetensors"))
    assert torch.equal(other.projection, encoding.projection)


def test_output_bias_alone_is_the_logit_everywhere() -> None:
    """Check 9: all weights come before all biases, and the output's biases are the last."""
    networks = PointNetworks((5, 4, 4, 3))
    for channel in range(3):
        parameters = torch.zeros(2, networks.num_parameters)
        parameters[:, networks.num_parameters - 3 + channel] = 1.75
        for asked in range(3):
            logits = networks(parameters, torch.randn(2, 5, 7), torch.tensor([asked, asked]))
            assert (logits == (1.75 if asked == channel else 0.0)).all()


def test_networks_of_a_batch_are_the_networks_one_by_one() -> None:
    """Against plain linear layers filled by hand from the packed numbers, each matrix row by row."""
    torch.manual_seed(0)
    networks = PointNetworks((5, 4, 3, 2))
    parameters = torch.randn(6, networks.num_parameters)
    inputs = torch.randn(6, 5, 9)
    channel = torch.tensor([0, 1, 1, 0, 1, 0])
    found = networks(parameters, inputs, channel)
    for row in range(6):
        numbers = iter(parameters[row].tolist())
        matrices = [
            torch.tensor([[next(numbers) for _ in range(before)] for _ in range(after)])
            for before, after in ((5, 4), (4, 3), (3, 2))
        ]
        biases = [torch.tensor([next(numbers) for _ in range(after)]) for after in (4, 3, 2)]
        values = inputs[row].T
        for matrix, bias in zip(matrices[:-1], biases[:-1], strict=True):
            values = functional.relu(functional.linear(values, matrix, bias))
        values = functional.linear(values, matrices[-1], biases[-1])
        torch.testing.assert_close(found[row], values[:, channel[row]], atol=1e-4, rtol=1e-4)


def test_l2_of_twos() -> None:
    """Check 10: 1e-5 times the mean of 2 ** 2."""
    assert loss_l2(torch.full((3, 10), 2.0), 1e-5).item() == pytest.approx(4e-5)
    made = torch.zeros(0, 10, requires_grad=True)
    loss_l2(made, 1e-5).backward()
    assert made.grad is not None


def _head(num_categories: int = 1, **changes: object) -> ImplicitMaskHead:
    torch.manual_seed(0)
    return ImplicitMaskHead(8, num_categories, dataclasses.replace(SMALL, **changes), 4)  # type: ignore[arg-type]


def test_template_start_is_one_network_for_all_and_answers_nothing_yet() -> None:
    """Hidden matrices from He's distribution, output layer and biases zero, instances nearly equal."""
    head = _head(template_init=True, hidden_channels=32)
    bias = head.parameter_head.weights.bias.detach()
    inputs, hidden = 16, 32
    first, second, rest = bias.split([inputs * hidden, hidden * hidden, hidden + 2 * hidden + 1])
    assert first.std().item() == pytest.approx((2 / inputs) ** 0.5, rel=0.1)
    assert second.std().item() == pytest.approx((2 / hidden) ** 0.5, rel=0.1)
    assert (rest == 0).all()
    made = head.make_parameters(torch.randn(1, 8, 16, 16), [torch.tensor([[4.0, 4.0, 40.0, 40.0]])])
    torch.testing.assert_close(made[0], bias, atol=0.05, rtol=0)
    published = _head(template_init=False).parameter_head
    assert (published.weights.bias == 0).all()
    assert published.scale == 1
    assert published.weights.weight.std().item() == pytest.approx(0.001, rel=0.1)


def test_only_the_class_of_the_instance_gets_gradient() -> None:
    """Check 5 for this head: the other classes' output weights stay untouched."""
    head = _head(3, class_agnostic=False)
    features = torch.randn(1, 8, 16, 16)
    boxes = [torch.tensor([[4.0, 4.0, 40.0, 40.0], [10.0, 6.0, 30.0, 50.0]])]
    made = head.make_parameters(features, boxes).detach() + 0.3
    made.requires_grad_()
    head.point_logits(made, features, boxes, torch.tensor([2, 3]), torch.rand(2, 4, 2)).sum().backward()
    assert made.grad is not None
    output_biases = made.grad[:, -3:]
    assert (output_biases != 0).tolist() == [[False, True, False], [False, False, True]]


def test_masks_do_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    head = _head(2, class_agnostic=False).eval()
    torch.nn.init.normal_(head.parameter_head.weights.weight, std=1.0)
    features = torch.randn(2, 8, 16, 16)
    boxes = [torch.rand(5, 2) * 20, torch.rand(3, 2) * 20]
    boxes = [torch.cat([corner, corner + 10 + 20 * torch.rand(len(corner), 2)], dim=1) for corner in boxes]
    labels = [torch.tensor([1, 2, 1, 2, 2]), torch.tensor([1, 1, 2])]
    with torch.no_grad():
        whole = head.mask_logits(features, boxes, labels)
        monkeypatch.setattr(implicit_head, "_NUMBERS_AT_ONCE", 1)
        single = head.mask_logits(features, boxes, labels)
    assert whole.shape == (8, 56, 56)
    assert whole.std() > 0
    torch.testing.assert_close(whole, single, atol=1e-4, rtol=1e-4)


def test_no_detections_have_no_masks() -> None:
    head = _head().eval()
    nothing = [torch.zeros(0, 4), torch.zeros(0, 4)]
    masks = head.mask_logits(torch.randn(2, 8, 16, 16), nothing, [torch.zeros(0, dtype=torch.long)] * 2)
    assert masks.shape == (0, 56, 56)


def test_a_mask_lies_where_the_features_are() -> None:
    """Networks that pass one feature on: the mask of a left-half feature is the left half of the box."""
    head = _head(hidden_layers=1, hidden_channels=1, frequencies=1)
    networks = head.networks
    parameters = torch.zeros(1, networks.num_parameters)
    parameters[0, 2] = 1.0  # the first feature follows the two values of the encoding
    parameters[0, networks.num_weights - 1] = 1.0
    parameters[0, -1] = -0.5
    features = torch.zeros(1, 8, 16, 16)
    features[0, 0, :, :6] = 1.0  # pixels 0..24
    boxes = [torch.tensor([[8.0, 8.0, 40.0, 40.0]])]
    grid = torch.tensor([[[0.3, 0.5], [0.45, 0.5], [0.55, 0.5], [0.7, 0.5]]])
    logits = head.point_logits(parameters, features, boxes, torch.tensor([1]), grid)
    assert (logits > 0).tolist() == [[True, True, False, False]]


def test_mixed_precision_keeps_places() -> None:
    """Places and phases stay in 32 bits; the made networks may round, by one in 128 each time."""
    head = _head()
    torch.nn.init.normal_(head.parameter_head.weights.weight, std=0.5)
    torch.nn.init.normal_(head.parameter_head.weights.bias, std=0.3)
    features = torch.randn(1, 8, 64, 64)
    boxes, labels = [torch.tensor([[150.0, 140.0, 230.0, 250.0]] * 3)], torch.tensor([1, 1, 1])
    coords = torch.rand(3, 50, 2)
    exact = head.encoding(coords)
    made = head.make_parameters(features, boxes)
    logits = head.point_logits(made, features, boxes, labels, coords)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(head.encoding(coords), exact)
        rounded = head.point_logits(made, features, boxes, labels, coords)
    assert (rounded.float() - logits).abs().mean() < 0.05 * logits.abs().mean()


def test_random_points_of_masks_come_from_the_global_generator() -> None:
    target: dict[str, Tensor] = {"masks": torch.zeros(2, 32, 32, dtype=torch.uint8)}
    target["masks"][1, :, :16] = 1
    proposals = [torch.tensor([[8.0, 8.0, 24.0, 24.0]] * 3), torch.zeros(0, 4)]
    matched = [torch.tensor([1, 0, 1]), torch.zeros(0, dtype=torch.long)]
    torch.manual_seed(5)
    coords, answers, weight = random_mask_points(proposals, [target, target], matched, points=400)
    assert coords.shape == (3, 400, 2)
    assert (weight == 1).all()
    far = (coords[..., 0] - 0.5).abs() > 0.5 / 16
    expected = (coords[..., 0] < 0.5).float() * torch.tensor([1.0, 0.0, 1.0])[:, None]
    torch.testing.assert_close(answers[far], expected[far])
    soft = ~far & (torch.tensor([1, 0, 1])[:, None] == 1)
    assert ((answers[soft] > 0) & (answers[soft] < 1)).any()
    torch.manual_seed(5)
    again, _, _ = random_mask_points(proposals, [target, target], matched, points=400)
    assert torch.equal(again, coords)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pool_size": 7}, "pool_size must be even, but is 7"),
        ({"subdivision_points": 200}, "subdivision_points must be a square number, but is 200"),
        ({"hidden_layers": 0}, "hidden_layers must be at least 1, but is 0"),
    ],
)
def test_impossible_settings(change: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SMALL, **change)  # type: ignore[arg-type]
