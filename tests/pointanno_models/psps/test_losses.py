"""All losses of a step together; acceptance check M of PSPS: what teaches what."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from pointanno_models.psps.click_squares import UNLABELLED
from pointanno_models.psps.losses import StepObjective, mask_cell_labels, masks_of_targets, true_targets
from pointanno_models.psps.network import PSPSNetwork
from pointanno_models.psps.outputs import ImageTargets
from pointanno_models.psps.system import PSPS

from .conftest import MakeSystem, batch_of, new_network

SEMANTIC = ("loss_sem_mask", "loss_sem_cls", "loss_sem_color")
PANOPTIC = ("loss_cls", "loss_bbox", "loss_iou", "loss_thing_mask", "loss_st_mask", "loss_st_cls")


def losses_of(
    system: PSPS, network: PSPSNetwork, batch: Any, warmup: float = 1.0
) -> tuple[dict[str, torch.Tensor], StepObjective]:
    objective = StepObjective(
        system.recipe, batch, num_things=system.classes.num_things, stride=network.stride, warmup=warmup
    )
    return network(batch.images, batch.valid_sizes, objective), objective


def gradients(network: PSPSNetwork, loss: torch.Tensor) -> dict[str, float]:
    """Sum of magnitudes by part."""
    network.zero_grad()
    loss.backward(retain_graph=True)
    sums: dict[str, float] = {}
    for name, parameter in network.named_parameters():
        part = name.split(".")[0]
        sums[part] = sums.get(part, 0.0) + (0.0 if parameter.grad is None else float(parameter.grad.abs().sum()))
    return sums


def test_what_teaches_what(make_system: MakeSystem) -> None:
    """Check M: semantic losses reach the backbone and the semantic queries, the contrastive one the projector only."""
    system = make_system()
    network = new_network(system).train()
    losses, objective = losses_of(system, network, batch_of(system))
    assert set(losses) == {*SEMANTIC, *PANOPTIC, "loss_metric"}
    for name in SEMANTIC:
        found = gradients(network, losses[name])
        assert found["backbone"] > 0 and found["encoder"] > 0 and found["semantic_branch"] > 0, name
        assert found["thing_stack"] == found["stuff_stack"] == found["projector"] == 0, name
        queries = network.semantic_branch.classes.content.grad
        assert queries is not None and queries.abs().sum() > 0
    found = gradients(network, losses["loss_metric"])
    assert found.pop("projector") > 0
    assert not any(found.values())
    for name in PANOPTIC:
        found = gradients(network, losses[name])
        assert found["semantic_branch"] == found["projector"] == 0, name
        # the last layer of the box heads begins at zero: behind it nothing is taught by the first step
        assert found["location_decoder" if name in ("loss_bbox", "loss_iou") else "backbone"] > 0, name
    assert gradients(network, losses["loss_thing_mask"])["thing_stack"] > 0
    assert gradients(network, losses["loss_st_mask"])["stuff_stack"] > 0
    assert objective.pseudo_labels is not None
    for made in objective.pseudo_labels:
        assert not made.targets.thing_masks.requires_grad and not made.targets.thing_boxes.requires_grad


def test_without_warm_up_factor_nothing_reaches_the_panoptic_branch(make_system: MakeSystem) -> None:
    """Check M: at factor 0 the gradient is exactly zero; semantic and contrastive losses are as they were."""
    system = make_system()
    network = new_network(system).train()
    batch = batch_of(system)
    losses, _ = losses_of(system, network, batch, warmup=0.0)
    assert all(losses[name].item() == 0 for name in PANOPTIC)
    found = gradients(network, torch.stack(list(losses.values())).sum())
    assert found["thing_stack"] == found["stuff_stack"] == found["location_decoder"] == 0
    assert found["semantic_branch"] > 0 and found["projector"] > 0
    network.zero_grad()
    # running means of norms do not change what training computes
    full, _ = losses_of(system, network, batch)
    half, _ = losses_of(system, network, batch, warmup=0.5)
    for name in PANOPTIC:
        assert half[name].item() == pytest.approx(full[name].item() / 2, rel=1e-5)
    for name in ("loss_sem_mask", "loss_sem_cls", "loss_metric"):
        assert half[name].item() == pytest.approx(full[name].item(), rel=1e-5)
    # from scratch the colour prior is warmed up by the factor's square; published is that it is not
    assert half["loss_sem_color"].item() == pytest.approx(full["loss_sem_color"].item() / 4, rel=1e-5)
    published = make_system(losses={"color_warmup": False})
    constant, _ = losses_of(published, network, batch, warmup=0.5)
    assert constant["loss_sem_color"].item() == pytest.approx(full["loss_sem_color"].item(), rel=1e-5)


def test_weights_and_shares(make_system: MakeSystem) -> None:
    """Doubled weights double their terms; things and stuff are weighed by their numbers among the pseudo-masks."""
    system = make_system()
    network = new_network(system).train()
    batch = batch_of(system)
    plain, objective = losses_of(system, network, batch)
    weights = {"presence": 4.0, "color": 6.0, "contrastive": 2.0, "dice": 4.0, "stuff_presence": 8.0}
    doubled, _ = losses_of(make_system(losses=weights), network, batch)
    for name in (*SEMANTIC, *PANOPTIC, "loss_metric"):
        factor = 1 if name in ("loss_sem_mask", "loss_cls", "loss_bbox", "loss_iou") else 2
        assert doubled[name].item() == pytest.approx(factor * plain[name].item(), rel=1e-4), name
    assert objective.pseudo_labels is not None
    things = sum(len(made.targets.thing_labels) for made in objective.pseudo_labels)
    stuff = sum(len(made.targets.stuff_labels) for made in objective.pseudo_labels)
    assert things > stuff > 0


def test_masks_teach_the_panoptic_branch_alone(make_system: MakeSystem) -> None:
    system = make_system("masks")
    network = new_network(system).train()
    losses, objective = losses_of(system, network, batch_of(system))
    assert set(losses) == set(PANOPTIC)
    assert objective.pseudo_labels is None
    assert not any(weight.requires_grad for weight in network.semantic_branch.parameters())
    both = make_system("masks", losses={"semantic_with_masks": True})
    losses, _ = losses_of(both, new_network(both).train(), batch_of(both))
    assert set(losses) == {*PANOPTIC, "loss_sem_mask", "loss_sem_cls", "loss_metric"}
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_pictures_without_things_or_without_anything(make_system: MakeSystem) -> None:
    """No thing, then no click at all: every loss is finite, and every weight still has a gradient."""
    system = make_system()
    network = new_network(system).train()
    batch = batch_of(system)
    for keeps_stuff in (True, False):
        targets = []
        for target in batch.targets:
            kept = ~target.isthing if keeps_stuff else torch.zeros_like(target.isthing)
            clicks = kept[target.click_targets]
            place = kept.cumsum(0) - 1
            targets.append(
                ImageTargets(
                    target.labels[kept], target.isthing[kept], target.target_ids[kept],
                    target.click_coords[clicks], place[target.click_targets[clicks]],
                )
            )  # fmt: skip
        fewer = type(batch)(batch.images, batch.rgb, batch.valid_sizes, tuple(targets))
        network.zero_grad()
        losses, _ = losses_of(system, network, fewer)
        assert all(torch.isfinite(loss) for loss in losses.values())
        assert losses["loss_thing_mask"].item() == losses["loss_bbox"].item() == 0
        torch.stack(list(losses.values())).sum().backward()
        assert not [name for name, weight in network.named_parameters() if weight.grad is None]


def test_true_masks_by_target() -> None:
    """Masks of the targets of a picture there and back; one is empty."""
    masks = torch.zeros(3, 4, 6, dtype=torch.bool)
    masks[0, :2], masks[2, 2:, 3:] = True, True
    target = ImageTargets(
        labels=torch.tensor([3, 0, 1]),
        isthing=torch.tensor([False, True, True]),
        target_ids=torch.tensor([5, 6, 7]),
        click_coords=torch.zeros(0, 2),
        click_targets=torch.zeros(0, dtype=torch.int64),
        masks=masks,
        ignored=torch.zeros(4, 6, dtype=torch.bool),
    )
    made = true_targets(target)
    assert made.thing_labels.tolist() == [1] and made.stuff_labels.tolist() == [3]
    assert torch.equal(masks_of_targets(made, 3), masks)
    with pytest.raises(ValueError, match="must have masks"):
        true_targets(ImageTargets(target.labels, target.isthing, target.target_ids, torch.zeros(0, 2), target.labels))


def test_cell_labels_of_masks() -> None:
    """A picture of 5 x 6 pixels in cells of 4: centres at pixels 2 and, in the cut cells, at the last one."""
    masks = torch.zeros(2, 5, 6, dtype=torch.bool)
    masks[0, :3, :4], masks[1, 3:, 4:] = True, True
    labels = mask_cell_labels(masks, torch.tensor([7, 2]), grid=(3, 2), stride=4)
    assert labels.tolist() == [[7, UNLABELLED], [UNLABELLED, 2], [UNLABELLED, UNLABELLED]]
