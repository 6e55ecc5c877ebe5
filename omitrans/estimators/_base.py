"""What every regressor trained by the engine shares: data in, training, prediction, pickling."""

import inspect
import warnings
from abc import abstractmethod
from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, clone
from sklearn.utils.validation import check_is_fitted
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
    optimizer_moments,
    paired_rows,
    predict_profiles,
    resolve_device,
    resolve_precision,
    seeded,
    training_bytes,
)
from omitrans.estimators._checkpoint_path import checkpoint_path
from omitrans.estimators._pretrained import find_pretrained, start_from
from omitrans.exceptions import TrainingInterrupted
from omitrans.utils._sklearn import HasMethods, Interval, StrOptions, fit_context
from omitrans.utils._validation import (
    check_beta_values,
    check_paired_samples,
    check_source,
    target_names,
)


class TorchRegressor(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Base of regressors with a trained ``net_``; a subclass says which net (``_make_net``).

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
        "source_unit": [StrOptions({"beta"}), None],
        "pretrained": [HasMethods(["fit", "predict"]), str, Path, None],
        "carry_optimizer": ["boolean"],
        "keep_optimizer": ["boolean"],
        "freeze": [str, "array-like", None],
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

    # --- fit ---

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, Y: ArrayLike) -> Self:
        """Train on paired profiles.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles, e.g. beta values. No missing values.
        Y : array-like or DataFrame of shape (n_samples, n_targets) or (n_samples,)
            Target profiles of the same samples in the same order, e.g. log2(FPKM + 1). When both
            are frames, their indexes must be equal.

        Returns
        -------
        self
            The fitted regressor. After Ctrl-C it holds the weights reached so far, and a
            `TrainingInterrupted` warning says so.

        Raises
        ------
        SampleMismatchError
            If X and Y name different samples, the same in another order, or one twice.
        FeatureMismatchError
            If column names are duplicated.
        DeviceMemoryError
            If memory runs out; the message gives sizes and remedies.
        TrainingDivergedError
            If a loss becomes NaN or infinite.
        ValueError
            If a parameter is out of range or X or Y hold unusable values.
        """
        pretrained = find_pretrained(self)
        self.__dict__.pop("net_", None)  # a fit that fails leaves no net of other data behind
        source, target = self._check_training_data(X, Y)
        device = resolve_device(self.device)
        checkpoint = checkpoint_path(self, pretrained, source, target)
        sizes = Sizes(4 * (source.size + target.size))
        with seeded(self.random_state, device), device_memory_errors(sizes, device):
            net = self._initialized_net(device, source.shape[1], target.shape[1])
            sizes.n_weights = _count_weights(net)
            dataset = paired_rows(
                source,
                target,
                device=device,
                location=self.data_location,
                other_bytes=training_bytes(sizes.n_weights),
            )
            self._train(net, dataset, pretrained, checkpoint)
        self._keep(net)
        return self

    def _check_training_data(self, X: Any, Y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return validated matrices, and set what is known of them on self."""
        if self.decay_epochs > self.max_epochs:
            raise ValueError(
                f"decay_epochs={self.decay_epochs} is part of max_epochs={self.max_epochs} and "
                "cannot exceed it. Lower decay_epochs or raise max_epochs."
            )
        check_paired_samples(X, Y)
        source, target = check_source(
            self, X, reset=True, y=Y, multi_output=True, y_numeric=True, ensure_min_samples=2
        )
        self._y_ndim = target.ndim
        target = target.reshape(len(target), -1)
        if self.source_unit == "beta":
            check_beta_values(source)
        if np.array_equal(source.min(axis=0), source.max(axis=0)):
            raise ValueError(
                f"X holds {source.shape[1]} features and all of them are constant over its "
                f"{len(source)} samples: nothing can be learned. Check how X was read or filtered."
            )
        self.n_targets_ = target.shape[1]
        self.target_names_ = target_names(Y, self.n_targets_)
        return source, target

    def _initialized_net(self, device: torch.device, n_source: int, n_target: int) -> OmicsNet:
        """Return the net with fresh weights, optimizers and callbacks."""
        best = BestWeights(self.tol) if self.early_stopping else None
        callbacks: list[tuple[str, Any]] = [
            ("schedule", LinearDecay(self.max_epochs, self.decay_epochs))
        ]
        if self.verbose:
            callbacks.append(("progress", Progress(self.max_epochs)))
        if best is not None:
            callbacks.append(("best", best))
            callbacks.append(("stop", StopWhenStale(best, self.n_iter_no_change)))
        net = self._make_net(
            module__n_source=n_source,
            module__n_target=n_target,
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

    def _train(
        self, net: OmicsNet, dataset: PairedRows, pretrained: Any, checkpoint: Path | None
    ) -> None:
        """Split off the validation rows, take over weights, resume if asked, train."""
        callbacks = dict(net.callbacks_)
        if self.early_stopping:
            order = torch.randperm(len(dataset))
            n_valid = min(len(dataset) - 1, int(np.ceil(self.validation_fraction * len(dataset))))
            net.set_params(train_split=predefined_split(dataset.subset(order[:n_valid])))
            dataset = dataset.subset(order[n_valid:])
        net.prepare(dataset)
        if pretrained is not None:
            counts = start_from(pretrained, self, net)
            self.n_shared_features_, self.n_shared_targets_ = counts
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

    def _report_interruption(self, n_epochs: int) -> None:
        if n_epochs <= 1:  # nothing usable was learned
            raise KeyboardInterrupt
        warnings.warn(
            f"Training was interrupted in epoch {n_epochs} of {self.max_epochs}; the model holds "
            f"the {'best' if self.early_stopping else 'last'} weights until then.",
            TrainingInterrupted,
            stacklevel=3,
        )

    def _resolved_params(self) -> dict[str, Any]:
        """Return parameters that rebuild the net without the tables and models of fit."""
        return self.get_params(deep=False) | {"pretrained": None}

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
        if self.keep_optimizer:
            self._optimizer_moments = {
                network: {name: value.cpu().numpy() for name, value in values.items()}
                for network, values in optimizer_moments(net).items()
            }
        net.trim_for_prediction()
        self.net_ = net

    def fine_tune(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        *,
        max_epochs: int = 150,
        batch_size: int = 16,
        lr: float | None = None,
        carry_optimizer: bool = False,
        freeze: str | Sequence[str] | None = None,
    ) -> Self:
        """Train on with another cohort, from the weights of this model; transfer learning.

        Features are matched by name: those that both cohorts have begin with the weights (and
        the scaling) learned before, those new here with fresh ones, others are left out. It is
        the same as fitting a clone with ``pretrained=`` this model, which a Pipeline or
        GridSearchCV can do.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles of the other cohort.
        Y : array-like or DataFrame of shape (n_samples, n_targets)
            Its target profiles.
        max_epochs : int, default=150
            Passes over its samples, as published for TDimpute.
        batch_size : int, default=16
            Samples a step, as published for TDimpute.
        lr : float, default=None
            Learning rate. None takes that of this model.
        carry_optimizer : bool, default=False
            Go on with Adam's moments, as TDimpute's code does; this model must have been fitted
            with ``keep_optimizer=True``.
        freeze : str or sequence of str, default=None
            Weights to leave as they are, by the beginning of their names in
            ``net_.module_.named_parameters()``.

        Returns
        -------
        TorchRegressor
            A new fitted model. This one stays as it is.

        Raises
        ------
        FeatureMismatchError
            If no features are shared, or differ for a network that cannot be adapted.
        ValueError
            If an option does not fit this model.
        """
        check_is_fitted(self, "net_")
        tuned = clone(self).set_params(
            pretrained=self,
            max_epochs=max_epochs,
            decay_epochs=min(self.decay_epochs, max_epochs),
            batch_size=batch_size,
            lr=self.lr if lr is None else lr,
            carry_optimizer=carry_optimizer,
            keep_optimizer=False,
            freeze=freeze,
        )
        return tuned.fit(X, Y)

    def __sklearn_clone__(self) -> Self:
        """Copy the parameters; a pretrained model among them is shared and stays fitted."""
        copy = super().__sklearn_clone__()
        copy.pretrained = self.pretrained
        return copy

    # --- predict ---

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict target profiles.

        A sample gets the same result alone and among others, to the last bit.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles with the columns seen in fit.

        Returns
        -------
        ndarray of shape (n_samples, n_targets) or (n_samples,)
            In the units of Y; float32 if X is float32, else float64.

        Raises
        ------
        FeatureMismatchError
            If columns are missing, unknown or in another order.
        """
        check_is_fitted(self, "net_")
        source = check_source(self, X, reset=False)
        if self.source_unit == "beta":
            check_beta_values(source)
        sizes = Sizes(4 * source.size, _count_weights(self.net_))
        with device_memory_errors(sizes, torch.device(self.net_.device)):
            predicted = predict_profiles(self.net_, source, source.dtype)
        return predicted.ravel() if self._y_ndim == 1 else predicted

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
        super().__setstate__(state)
        if "net_" not in state:
            return
        device = resolve_device(self.device, fall_back=True)
        blueprint = type(self)(**self._training_params)
        with seeded(0, device):
            net = blueprint._initialized_net(device, self.n_features_in_, self.n_targets_)
        net.load_modules_state(
            {
                name: {key: torch.as_tensor(weight) for key, weight in module.items()}
                for name, module in state["net_"].items()
            }
        )
        net.trim_for_prediction()
        self.net_ = net


def _count_weights(net: OmicsNet) -> int:
    return sum(weight.numel() for _, weight in net.get_all_learnable_params())
