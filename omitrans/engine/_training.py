"""Training of a net: its device, its callbacks, and the rows that are set aside for validation."""

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from skorch.helper import predefined_split

from omitrans.engine._allocation import AllocationLimit
from omitrans.engine._callbacks import BestWeights, LinearDecay, Progress, StopWhenStale
from omitrans.engine._checkpoint import Checkpoint
from omitrans.engine._data import PairedRows, RowBatches, paired_rows, shuffled
from omitrans.engine._device import resolve_device, resolve_precision
from omitrans.engine._draws import EveryDraw, FitDraws
from omitrans.engine._memory import Sizes, device_memory_errors, training_bytes
from omitrans.engine._net import OmicsNet
from omitrans.exceptions import TrainingInterrupted
from omitrans.model_selection._folds import grouped_holdout
from omitrans.utils._callers import called_by_user, user_level
from omitrans.utils._draws import drawing_from
from omitrans.utils._untrusted import is_untrusted

MakeNet = Callable[..., OmicsNet]
"""A function of the options of :class:`OmicsNet` that returns a net which is not initialised."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """The options of a training that do not depend on the network.

    Each field is the estimator parameter of the same name, which the estimators document.
    """

    lr: float
    alpha: float
    batch_size: int
    max_epochs: int
    decay_epochs: int
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    tol: float
    restore_best: bool = True
    device: str | torch.device
    precision: str
    data_location: str
    checkpoint_every: int
    resume: bool
    random_state: Any
    verbose: int
    title: str = ""
    """What the progress bar calls the training."""

    def __post_init__(self) -> None:
        if self.decay_epochs > self.max_epochs:
            raise ValueError(
                f"decay_epochs={self.decay_epochs} is part of max_epochs={self.max_epochs} and "
                "cannot exceed it. Lower decay_epochs or raise max_epochs."
            )

    @classmethod
    def of(cls, estimator: Any, **others: Any) -> Self:
        """Read the options from the parameters of an estimator; `others` have other values."""
        names = [field.name for field in fields(cls) if hasattr(estimator, field.name)]
        return cls(**{name: getattr(estimator, name) for name in names} | others)


def train_net(
    make_net: MakeNet,
    source: np.ndarray,
    target: np.ndarray,
    training: Training,
    *,
    samples: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    n_validation: int = 0,
    checkpoint: Path | None = None,
    start: Callable[[OmicsNet, PairedRows], None] | None = None,
    finish: Callable[[OmicsNet, PairedRows], None] | None = None,
) -> OmicsNet:
    """Build a net, train it on paired tables and return it.

    Parameters
    ----------
    make_net : callable
        Function that makes the net.
    source, target : ndarray of shape (n_samples, n_features)
        The training tables. Targets of a float dtype become float32; others keep their dtype.
    training : Training
        Options of the training.
    samples : ndarray of int or None, default=None
        Row numbers of the samples to train on, which are not copied; None takes all.
    groups : ndarray of shape (n_samples,) or None, default=None
        The patient of each of these samples. Early stopping sets whole patients aside.
    n_validation : int, default=0
        Number of rows at the end of the tables, or of `samples`, that are the validation rows of
        early stopping. With 0, rows are set aside at random.
    checkpoint : pathlib.Path or None, default=None
        Path of the checkpoint file; None writes no checkpoints.
    start : callable or None, default=None
        Function of the net and the training rows that sets the weights before the first step; None
        keeps random weights.
    finish : callable or None, default=None
        Function that is called with the trained net and the validation rows, or with all rows if
        none were set aside.

    Returns
    -------
    OmicsNet
        The trained net.

    Raises
    ------
    DeviceMemoryError
        If memory runs out.
    TrainingDivergedError
        If a loss becomes NaN or infinite.
    KeyboardInterrupt
        After Ctrl-C, if training was interrupted in its first epoch, or if the fit is part of a
        longer computation, such as a search or a cross-validation.
    """
    device = resolve_device(training.device)
    sizes = Sizes(4 * (source.size + target.size))
    draws = FitDraws.seeded(training.random_state, device)
    with drawing_from(draws), device_memory_errors(sizes, device):
        net = _initialized(make_net, training, device)
        sizes.n_weights = count_weights(net)
        rows = paired_rows(
            source,
            target,
            device=device,
            location=training.data_location,
            other_bytes=training_bytes(sizes.n_weights),
        )
        if samples is not None:
            rows = rows.subset(torch.from_numpy(samples))
        writer = None
        if checkpoint is not None:
            best = dict(net.callbacks_).get("best")
            writer = Checkpoint(checkpoint, training.checkpoint_every, best, draws)
        held_out = _train(net, rows, training, groups, n_validation, writer, start)
        if finish is not None:
            finish(net, held_out)
    return net


def rebuild_net(
    make_net: MakeNet, training: Training, state: dict[str, dict[str, np.ndarray]]
) -> OmicsNet:
    """Rebuild a trained net from its weights, on a device of this machine.

    Parameters
    ----------
    make_net : callable
        Function that makes the net.
    training : Training
        Options of the training, which name the device and the precision.
    state : dict
        The weights, as returned by :meth:`OmicsNet.weights_as_arrays`.

    Returns
    -------
    OmicsNet
        The net, ready to predict.

    Raises
    ------
    ModelFileError
        If the net comes from a model file and asks for far more memory than its weights take.
    """
    device = resolve_device(training.device, fall_back=True)
    limit = AllocationLimit(state) if is_untrusted() else nullcontext()
    with drawing_from(FitDraws(0, device)), limit:
        net = _initialized(make_net, training, device)
    net.load_modules_state(
        {
            name: {key: torch.as_tensor(weight) for key, weight in module.items()}
            for name, module in state.items()
        }
    )
    net.trim_for_prediction()
    return net


def count_weights(net: OmicsNet) -> int:
    """Return the number of weights of all networks of a net."""
    return sum(weight.numel() for _, weight in net.get_all_learnable_params())


def _initialized(make_net: MakeNet, training: Training, device: torch.device) -> OmicsNet:
    """Return a net with new random weights, optimizers and callbacks."""
    net = make_net(
        optimizer=torch.optim.Adam,
        optimizer__fused=True,
        alpha=training.alpha,
        lr=training.lr,
        batch_size=training.batch_size,
        max_epochs=training.max_epochs,
        compute_dtype=resolve_precision(training.precision, device),
        iterator_train=RowBatches,
        iterator_train__shuffle=True,
        iterator_train__device=device,
        iterator_valid=RowBatches,
        iterator_valid__device=device,
        train_split=None,
        callbacks=_callbacks(training),
        device=str(device),
        verbose=0,
    )
    with EveryDraw():
        return net.initialize()


def _callbacks(training: Training) -> list[tuple[str, Any]]:
    callbacks: list[tuple[str, Any]] = [
        ("schedule", LinearDecay(training.max_epochs, training.decay_epochs))
    ]
    if training.verbose:
        callbacks.append(("progress", Progress(training.max_epochs, training.title)))
    if training.early_stopping:
        best = BestWeights(training.tol, restore=training.restore_best)
        callbacks.append(("best", best))
        callbacks.append(("stop", StopWhenStale(best, training.n_iter_no_change)))
    return callbacks


def _train(
    net: OmicsNet,
    rows: PairedRows,
    training: Training,
    groups: np.ndarray | None,
    n_validation: int,
    checkpoint: Checkpoint | None,
    start: Callable[[OmicsNet, PairedRows], None] | None,
) -> PairedRows:
    """Set validation rows aside, set the first weights, resume if asked, train.

    Returns the validation rows, or all rows if none were set aside.
    """
    callbacks = dict(net.callbacks_)
    held_out = rows
    if training.early_stopping:
        if n_validation:
            places = torch.arange(len(rows))
            held_out = rows.subset(places[-n_validation:])
            rows = rows.subset(places[:-n_validation])
        else:
            rows, held_out = _split(rows, training.validation_fraction, groups)
        net.set_params(train_split=predefined_split(held_out))
    net.prepare(rows)
    if start is not None:
        start(net, rows)
    if training.early_stopping:
        callbacks["best"].begin(net, held_out)
    if checkpoint is not None:
        # before early stopping, which may end training in an epoch with a checkpoint
        net.callbacks_.insert(len(callbacks) - training.early_stopping, ("checkpoint", checkpoint))
        if training.resume:
            checkpoint.resume(net)
    stopped = training.early_stopping and callbacks["stop"].is_due(net)
    net.partial_fit(rows, epochs=0 if stopped else training.max_epochs - len(net.history))
    if net.interrupted_:
        _report_interruption(net, training)
    return held_out


def _split(
    rows: PairedRows, fraction: float, groups: np.ndarray | None
) -> tuple[PairedRows, PairedRows]:
    """Return the training rows and the validation rows; no group is in both."""
    train, valid = grouped_holdout(len(rows), fraction, groups, shuffled)
    return rows.subset(torch.from_numpy(train)), rows.subset(torch.from_numpy(valid))


def _report_interruption(net: OmicsNet, training: Training) -> None:
    """Warn that the model holds the weights learned so far, or raise the interruption again."""
    n_epochs = len(net.history)
    if n_epochs <= net.n_useless_epochs or not called_by_user():
        raise KeyboardInterrupt
    kept = "best" if training.early_stopping and training.restore_best else "last"
    warnings.warn(
        f"Training was interrupted in epoch {n_epochs} of {training.max_epochs}; the model holds "
        f"the {kept} weights until then.",
        TrainingInterrupted,
        stacklevel=user_level(),
    )
