"""One batch on several processes, with the draws, means and paddings that it would have in one.

A batch that is shared by R processes must teach what it teaches one process alone. Three things depend on the
whole of it: random draws (one generator goes through the pictures in order), means (their denominators count
everything in the batch), and padding (to the largest picture). Each function here does nothing but the plain thing
in a process that is alone, and asks the others otherwise; then all processes must call it alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler

if TYPE_CHECKING:
    from collections.abc import Sequence


def process_count() -> int:
    """Processes that share the batch."""
    is_shared = torch.distributed.is_available() and torch.distributed.is_initialized()
    return torch.distributed.get_world_size() if is_shared else 1


def _gather(rows: Tensor) -> Tensor:
    """(n, ...) of every process, the first one's first; n is the same everywhere."""
    parts = [torch.zeros_like(rows) for _ in range(process_count())]
    torch.distributed.all_gather(parts, rows)
    return torch.cat(parts)


def means_over_batch(means: Sequence[Tensor], count: int) -> list[Tensor]:
    """Means over this process's share, such that their average over processes is the mean over the batch.

    Parameters
    ----------
    means : sequence of () float
        A mean over nothing must be 0.
    count : int
        Terms of each mean in this process.
    """
    if process_count() == 1:
        return list(means)
    device = means[0].device
    total = int(_gather(torch.tensor([count], device=device)).sum())
    share = count * process_count() / total if total else 1.0
    return [mean * share for mean in means]


def mean_counts(counts: Tensor) -> Tensor:
    """Counts for one process on average.

    Parameters
    ----------
    counts : (n,) float
        What was counted in this process; the shape is the same in all.
    """
    return counts if process_count() == 1 else _gather(counts[None]).sum(dim=0) / process_count()


def denominators(counts: Tensor) -> Tensor:
    """What sums are divided by, so that their average over processes is the mean over the whole batch.

    Parameters
    ----------
    counts : (n,) float
        Terms of each sum in this process; the shape is the same in all.

    Returns
    -------
    (n,) float
        1 where nothing is counted anywhere.
    """
    means = mean_counts(counts)
    return torch.where(means > 0, means, 1)


def pad_to_largest(images: Tensor) -> Tensor:
    """(B, C, H, W) padded with zeros, at the right and at the bottom, to the largest sides of all processes."""
    if process_count() == 1:
        return images
    sides = _gather(torch.tensor([images.shape[-2:]], device=images.device)).amax(dim=0).tolist()
    return functional.pad(images, (0, int(sides[1]) - images.shape[-1], 0, int(sides[0]) - images.shape[-2]))


def rand_by_picture(counts: Sequence[int], shape: tuple[int, ...], device: torch.device) -> list[Tensor]:
    """For each picture of this process (n, *shape) uniform numbers, n of `counts`."""
    if process_count() == 1:
        return [torch.rand((count, *shape), device=device) for count in counts]
    everywhere = _gather(torch.tensor(list(counts), device=device)).tolist()
    drawn = [torch.rand((int(count), *shape), device=device) for count in everywhere]
    first = torch.distributed.get_rank() * len(counts)
    return drawn[first : first + len(counts)]


class SharedSampler(BalancedPositiveNegativeSampler):
    """torchvision's random choice of anchors or proposals, picture by picture."""

    def __call__(self, matched_idxs: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """For each picture two masks of what was chosen, positives and negatives.

        Parameters
        ----------
        matched_idxs : B of (N_b,) number
            1 and more are positive, 0 is negative.
        """
        if process_count() == 1:
            chosen: tuple[list[Tensor], list[Tensor]] = super().__call__(matched_idxs)
            return chosen
        device = matched_idxs[0].device
        own = [torch.stack([(labels >= 1).sum(), (labels == 0).sum()]) for labels in matched_idxs]
        first = torch.distributed.get_rank() * len(matched_idxs)
        positives: list[Tensor] = []
        negatives: list[Tensor] = []
        for position, counts in enumerate(_gather(torch.stack(own)).tolist()):
            if first <= position < first + len(matched_idxs):
                [positive], [negative] = super().__call__([matched_idxs[position - first]])
                positives.append(positive)
                negatives.append(negative)
            else:  # the generator goes on as if the picture were here
                for count in counts:
                    torch.randperm(int(count), device=device)
        return positives, negatives

    def count(self, matched_idxs: list[Tensor]) -> int:
        """How many are chosen in this process."""
        total = 0
        for labels in matched_idxs:
            positives = min(int((labels >= 1).sum()), int(self.batch_size_per_image * self.positive_fraction))
            total += positives + min(int((labels == 0).sum()), self.batch_size_per_image - positives)
        return total
