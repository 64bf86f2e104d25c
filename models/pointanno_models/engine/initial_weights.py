"""``--init RUN``: start from the weights of an earlier run, as far as they fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pointanno.errors import InputError
from pointanno_models.engine.checkpoints import categories_from_list, read_meta, read_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from pointanno.dataset import Category
    from pointanno.runs import RunFolder


@dataclass(frozen=True, slots=True)
class Transfer:
    """What was taken over."""

    checkpoint: str
    loaded: int
    fresh: tuple[str, ...]
    """Tensors of the network that keep their initial values."""
    same_classes: bool

    def sentence(self) -> str:
        """For the log and the window."""
        text = f"{self.loaded} tensors taken from {self.checkpoint}"
        if self.fresh:
            shown = ", ".join(self.fresh[:6]) + (", ..." if len(self.fresh) > 6 else "")
            text += f"; {len(self.fresh)} do not fit (other classes or sizes) and start fresh: {shown}"
        elif not self.same_classes:
            text += "; the classes differ in name, but their number fits, so their layers were taken over too"
        return text


def load_initial_weights(network: nn.Module, run: RunFolder, categories: Sequence[Category]) -> Transfer:
    """Copy what fits from the best checkpoint of a run, or from its last.

    Raises
    ------
    InputError
        If there is no checkpoint or nothing fits.
    """
    checkpoint = run.best_checkpoint()
    if checkpoint is None:
        raise InputError(f"--init {run.path}: that run has no checkpoint yet; wait for one or name another run")
    weights = read_weights(checkpoint)
    own = network.state_dict()
    fitting = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
    if not fitting:
        raise InputError(f"--init {run.path}: no layer of that run fits this network; use the same system and recipe")
    network.load_state_dict(fitting, strict=False)
    before = categories_from_list(read_meta(checkpoint)["categories"])
    return Transfer(
        checkpoint=f"{run.name}/{checkpoint.name}",
        loaded=len(fitting),
        fresh=tuple(name for name in own if name not in fitting),
        same_classes=[c.name for c in before] == [c.name for c in categories],
    )
