"""What every regressor trained by the engine shares: paired tables in, transfer, prediction."""

from collections.abc import Sequence
from functools import partial
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import MultiOutputMixin, RegressorMixin, clone
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from omitrans.engine import (
    OmicsNet,
    Sizes,
    device_memory_errors,
    has_dropout,
    optimizer_moments,
    predict_profiles,
    predict_with_deviation,
)
from omitrans.estimators._base import TorchEstimator, count_weights
from omitrans.estimators._checkpoint_path import checkpoint_path
from omitrans.estimators._pretrained import find_pretrained, start_from
from omitrans.utils._sklearn import HasMethods, Interval, StrOptions, fit_context
from omitrans.utils._validation import (
    check_beta_values,
    check_paired_samples,
    check_source,
    target_names,
)


class TorchRegressor(MultiOutputMixin, RegressorMixin, TorchEstimator):
    """Base of regressors that map source profiles to target profiles.

    Subclasses define the parameters named in ``_parameter_constraints`` in their ``__init__``,
    beside their own.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **TorchEstimator._parameter_constraints,
        "probe_dropout": [Interval(Real, 0, 1, closed="left")],
        "source_unit": [StrOptions({"beta"}), None],
        "pretrained": [HasMethods(["fit", "predict"]), str, Path, None],
        "carry_optimizer": ["boolean"],
        "keep_optimizer": ["boolean"],
        "freeze": [str, "array-like", None],
    }

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
        checkpoint = checkpoint_path(self, source, target, pretrained)
        start = None if pretrained is None else partial(self._start_from, pretrained)
        self._train_on(source, target, checkpoint, start)
        return self

    def _check_training_data(self, X: Any, Y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return validated matrices, and set what is known of them on self."""
        self._check_schedule()
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

    def _net_sizes(self) -> dict[str, Any]:
        return {"module__n_source": self.n_features_in_, "module__n_target": self.n_targets_}

    def _start_from(self, pretrained: Any, net: OmicsNet) -> None:
        counts = start_from(pretrained, self, net)
        self.n_shared_features_, self.n_shared_targets_ = counts

    def _resolved_params(self) -> dict[str, Any]:
        return super()._resolved_params() | {"pretrained": None}

    def _keep(self, net: OmicsNet) -> None:
        if self.keep_optimizer:
            self._optimizer_moments = {
                network: {name: value.cpu().numpy() for name, value in values.items()}
                for network, values in optimizer_moments(net).items()
            }
        super()._keep(net)

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

    def predict(self, X: ArrayLike, return_std: bool = False, n_draws: int = 30) -> Any:
        """Predict target profiles.

        A sample gets the same result alone and among others, to the last bit.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles with the columns seen in fit.
        return_std : bool, default=False
            Whether to return how unsure the network is of itself: the standard deviation between
            networks thinned by dropout. Real values scatter more widely, by what no model can
            predict.
        n_draws : int, default=30
            Number of thinned networks.

        Returns
        -------
        ndarray of shape (n_samples, n_targets) or (n_samples,)
            In the units of Y; float32 if X is float32, else float64. With `return_std` a tuple of
            predictions and standard deviations.

        Raises
        ------
        FeatureMismatchError
            If columns are missing, unknown or in another order.
        ValueError
            If a standard deviation is asked of a network without dropout.
        """
        check_is_fitted(self, "net_")
        if return_std:
            check_scalar(n_draws, "n_draws", Integral, min_val=2)
            if not has_dropout(self.net_):
                raise ValueError(
                    f"return_std=True needs a network with dropout, and this {type(self).__name__} "
                    "was fitted without. Fit it with dropout, or take the disagreement of several: "
                    "omitrans.trust.TrustedRegressor(model, ensemble=True)."
                )
        source = check_source(self, X, reset=False)
        if self.source_unit == "beta":
            check_beta_values(source)
        sizes = Sizes(4 * source.size, count_weights(self.net_))
        with device_memory_errors(sizes, torch.device(self.net_.device)):
            if return_std:
                both = predict_with_deviation(self.net_, source, source.dtype, n_draws)
                return tuple(map(self._shaped, both))
            return self._shaped(predict_profiles(self.net_, source, source.dtype))

    def _shaped(self, predicted: np.ndarray) -> np.ndarray:
        """Return predictions with as many dimensions as Y had."""
        return predicted.ravel() if self._y_ndim == 1 else predicted
