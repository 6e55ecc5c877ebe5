"""What every estimator trained by the engine shares: the net, its training, pickling."""

import inspect
import warnings
from abc import abstractmethod
from collections.abc import Callable
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from skorch.helper import predefined_split
from torch import nn

from omitrans.engine import (
    BestWeights,
    Checkpoint,
    LinearDecay,
    OmicsNet,
    PairedRows,
    Progress,
    RowBatches,
    Sizes,
    StopWhenStale,
    device_memory_errors,
    paired_rows,
    resolve_device,
    resolve_precision,
    seeded,
    training_bytes,
)
from omitrans.exceptions import TrainingInterrupted
from omitrans.utils._sklearn import Interval, StrOptions


class TorchEstimator(BaseEstimator):
    """Base of estimators with a trained ``net_``; a subclass says which net (``_make_net``).

    Subclasses define the parameters named in ``_parameter_constraints`` below in their
    ``__init__``, beside their own.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "lr": [Interval(Real, 0, None, closed="neither")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "decay_epochs": [Interval(Integral, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "device": [str, torch.device],
        "precision": [StrOptions({"auto", "float32", "bf16"})],
        "data_location": [StrOptions({"auto", "device", "host"})],
        "checkpoint_dir": [str, Path, None],
        "checkpoint_every": [Interval(Integral, 1, None, closed="left")],
        "resume": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    @abstractmethod
    def _make_net(self, **options: Any) -> OmicsNet:
        """Return the net to train; `options` are those that every net here takes."""

    @abstractmethod
    def _net_sizes(self) -> dict[str, Any]:
        """Return those options of the net that the training tables decide."""

    # --- training ---

    def _train_on(
        self,
        source: np.ndarray,
        target: np.ndarray,
        checkpoint: Path | None,
        start: Callable[[OmicsNet], None] | None = None,
    ) -> None:
        """Build a net, train it on paired tables and keep it.

        `start`, if given, sets the weights that training begins with.
        """
        device = resolve_device(self.device)
        sizes = Sizes(4 * (source.size + target.size))
        with seeded(self.random_state, device), device_memory_errors(sizes, device):
            net = self._initialized_net(device, **self._net_sizes())
            sizes.n_weights = count_weights(net)
            dataset = paired_rows(
                source,
                target,
                device=device,
                location=self.data_location,
                other_bytes=training_bytes(sizes.n_weights),
            )
            self._train(net, dataset, checkpoint, start)
            self._keep(net)

    def _check_schedule(self) -> None:
        if self.decay_epochs > self.max_epochs:
            raise ValueError(
                f"decay_epochs={self.decay_epochs} is part of max_epochs={self.max_epochs} and "
                "cannot exceed it. Lower decay_epochs or raise max_epochs."
            )

    def _check_hidden_layer_sizes(self) -> None:
        for width in self.hidden_layer_sizes:
            if not isinstance(width, Integral) or width < 1:
                raise ValueError(
                    f"The 'hidden_layer_sizes' parameter of {type(self).__name__} must hold whole "
                    f"numbers of at least 1. Got {width!r} in {self.hidden_layer_sizes!r} instead."
                )

    def _initialized_net(self, device: torch.device, **sizes: Any) -> OmicsNet:
        """Return the net with fresh weights, optimizers and callbacks."""
        best = None
        if self.early_stopping:
            best = BestWeights(self.tol, restore=self._restores_best())
        callbacks: list[tuple[str, Any]] = [
            ("schedule", LinearDecay(self.max_epochs, self.decay_epochs))
        ]
        if self.verbose:
            callbacks.append(("progress", Progress(self.max_epochs)))
        if best is not None:
            callbacks.append(("best", best))
            callbacks.append(("stop", StopWhenStale(best, self.n_iter_no_change)))
        net = self._make_net(
            **sizes,
            optimizer=torch.optim.Adam,
            optimizer__fused=True,
            alpha=self.alpha,
            lr=self.lr,
            batch_size=self.batch_size,
            max_epochs=self.max_epochs,
            compute_dtype=resolve_precision(self.precision, device),
            iterator_train=RowBatches,
            iterator_train__shuffle=True,
            iterator_train__device=device,
            iterator_valid=RowBatches,
            iterator_valid__device=device,
            train_split=None,
            callbacks=callbacks,
            device=str(device),
            verbose=0,
        )
        return net.initialize()

    def _restores_best(self) -> bool:
        return True

    def _train(
        self,
        net: OmicsNet,
        dataset: PairedRows,
        checkpoint: Path | None,
        start: Callable[[OmicsNet], None] | None,
    ) -> None:
        """Split off the validation rows, take over weights, resume if asked, train."""
        callbacks = dict(net.callbacks_)
        held_out = dataset
        if self.early_stopping:
            order = torch.randperm(len(dataset))
            n_valid = min(len(dataset) - 1, int(np.ceil(self.validation_fraction * len(dataset))))
            held_out = dataset.subset(order[:n_valid])
            net.set_params(train_split=predefined_split(held_out))
            dataset = dataset.subset(order[n_valid:])
        net.prepare(dataset)
        if start is not None:
            start(net)
        if checkpoint is not None:
            writer = Checkpoint(checkpoint, self.checkpoint_every, callbacks.get("best"))
            # in front of early stopping, which may end training in the epoch it is due
            net.callbacks_.insert(len(callbacks) - self.early_stopping, ("checkpoint", writer))
            if self.resume:
                writer.resume(net)
        stopped = self.early_stopping and callbacks["stop"].is_due(net)
        n_left = 0 if stopped else self.max_epochs - len(net.history)
        net.partial_fit(dataset, epochs=n_left)
        if net.interrupted_:
            self._report_interruption(len(net.history))
        self._finish(net, held_out)

    def _finish(self, net: OmicsNet, held_out: PairedRows) -> None:
        """Do what is to be done with a trained net; `held_out` are the validation rows, or all."""

    def _report_interruption(self, n_epochs: int) -> None:
        if n_epochs <= 1:  # nothing usable was learned
            raise KeyboardInterrupt
        kept = "best" if self.early_stopping and self._restores_best() else "last"
        warnings.warn(
            f"Training was interrupted in epoch {n_epochs} of {self.max_epochs}; the model holds "
            f"the {kept} weights until then.",
            TrainingInterrupted,
            stacklevel=3,
        )

    def _resolved_params(self) -> dict[str, Any]:
        """Return parameters that rebuild the net without the tables and models of fit."""
        return self.get_params(deep=False)

    def _keep(self, net: OmicsNet) -> None:
        """Set what fit leaves behind."""
        rows = [{k: v for k, v in row.items() if k != "batches"} for row in net.history]
        self.history_ = pd.DataFrame(rows).rename(columns={"dur": "seconds"})
        self.n_iter_ = len(rows)
        if self.early_stopping:
            best = dict(net.callbacks_)["best"]
            self.best_epoch_, self.best_validation_loss_ = best.epoch_, float(best.loss_)
        # parameters may be set anew after fit; the net is rebuilt from those it was trained with
        self._training_params = self._resolved_params()
        net.trim_for_prediction()
        self.net_ = net

    # --- networks and their weights ---

    @staticmethod
    def _network_params(
        network: type[nn.Module], shared: dict[str, Any], own: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Return the arguments of a network: shared parameters it knows, and its own."""
        known = inspect.signature(network).parameters
        return {name: value for name, value in shared.items() if name in known} | (own or {})

    def __getstate__(self) -> dict[str, Any]:
        """Return plain data: the net is replaced by its weights in NumPy arrays."""
        state = super().__getstate__().copy()
        if "net_" in state:
            state["net_"] = {
                name: {key: weight.cpu().numpy() for key, weight in module.items()}
                for name, module in self.net_.modules_state().items()
            }
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the net on a device of this machine, and give it its weights."""
        defaults = inspect.signature(type(self)).parameters
        # an older version may have written it, without the parameters that came later
        known = {name: parameter.default for name, parameter in defaults.items()}
        super().__setstate__(known | state)
        if "net_" not in state:
            return
        device = resolve_device(self.device, fall_back=True)
        blueprint = type(self)(**self._training_params)
        with seeded(0, device):
            net = blueprint._initialized_net(device, **self._net_sizes())
        net.load_modules_state(
            {
                name: {key: torch.as_tensor(weight) for key, weight in module.items()}
                for name, module in state["net_"].items()
            }
        )
        net.trim_for_prediction()
        self.net_ = net


def count_weights(net: OmicsNet) -> int:
    """Return the number of weights of a net, every network of it."""
    return sum(weight.numel() for _, weight in net.get_all_learnable_params())
