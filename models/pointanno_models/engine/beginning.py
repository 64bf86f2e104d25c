"""The network that a stage begins with: of a checkpoint, of another run, new, or that of the stage before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pointanno.errors import InputError
from pointanno.runs.folder import RunFolder
from pointanno_models.engine.batches import network_seed
from pointanno_models.engine.checkpoints import read_weights
from pointanno_models.engine.initial_weights import load_initial_weights
from pointanno_models.engine.prediction import build_empty_network

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from pointanno.runs import TrainArguments
    from pointanno_models.engine.journal import Journal
    from pointanno_models.engine.system import System


def new_network(system: System, arguments: TrainArguments, stage_index: int) -> nn.Module:
    """New weights, a function of the seed and the stage."""
    torch.manual_seed(network_seed(arguments.seed, stage_index))
    return system.build_network(weights=arguments.weights)


def first_network(system: System, arguments: TrainArguments, journal: Journal, *, is_complete: bool) -> nn.Module:
    """The network of the first stage: from ``--init``, else new.

    Parameters
    ----------
    is_complete : bool
        Whether all weights and classes must come from the other run, because nothing trains them before they are
        used.

    Raises
    ------
    InputError
        If there is nothing to start from.
    """
    if arguments.init is None and is_complete:
        raise InputError(
            f"the first stage ({system.stages()[0]}) works with a trained network; name the run that trained it by "
            "--init RUN"
        )
    if arguments.init is None:
        return new_network(system, arguments, 0)
    torch.manual_seed(network_seed(arguments.seed, 0))
    network = build_empty_network(system)
    transfer = load_initial_weights(network, RunFolder(arguments.init), system.categories)
    if is_complete and (transfer.fresh or not transfer.same_classes):
        raise InputError(
            f"--init {arguments.init}: the first stage uses that network as it is, but {transfer.sentence()}; name a "
            "run of the same recipe and classes"
        )
    if transfer.fresh or not transfer.same_classes:
        journal.warn(transfer.sentence())
    else:
        journal.log(transfer.sentence())
    return network


def network_of_checkpoint(system: System, checkpoint: Path, *, training: bool) -> nn.Module:
    """A network with the weights of a checkpoint: those for predictions, or those that are trained."""
    network = build_empty_network(system)
    network.load_state_dict(read_weights(checkpoint, training=training))
    return network
