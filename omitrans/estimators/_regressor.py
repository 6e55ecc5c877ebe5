"""The common base of the regressors with neural networks: fit, transfer learning, predict."""

from collections.abc import Sequence
from functools import partial
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from omitrans.baselines._residual_draws import (
    LearnResidualsMixin,
    ResidualDrawsMixin,
    drawn_around,
    index_of,
)
from omitrans.engine import (
    OmicsNet,
    PairedRows,
    Sizes,
    count_weights,
    device_memory_errors,
    has_dropout,
    mean_profiles,
    optimizer_moments,
    predict_with_deviation,
)
from omitrans.estimators._forked import refuse_lost_threads
from omitrans.estimators._network_draws import NetworkDraws, check_what_is_drawn
from omitrans.estimators._pretrained import find_pretrained, fingerprint_of, start_from
from omitrans.estimators._trained_net import TrainedNetEstimator
from omitrans.model_selection._folds import sample_groups
from omitrans.utils._deprecation import renamed_argument
from omitrans.utils._finite import check_finite_predictions
from omitrans.utils._labelled_draws import check_n_samples, labelled_draws
from omitrans.utils._paired import PairedTablesMixin
from omitrans.utils._sklearn import HasMethods, Interval, StrOptions, fit_context
from omitrans.utils._validation import check_beta_values, check_source

_SPANS = 10  # predictions may leave the range of a training target by this multiple of it


class TorchRegressor(
    LearnResidualsMixin, ResidualDrawsMixin, PairedTablesMixin, TrainedNetEstimator
):
    """Base class of regressors that map source profiles to target profiles.

    Subclasses define the parameters named in ``_parameter_constraints`` in their ``__init__``,
    together with their own parameters.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **TrainedNetEstimator._parameter_constraints,
        "probe_dropout": [Interval(Real, 0, 1, closed="left")],
        "source_unit": [StrOptions({"beta"}), None],
        "pretrained": [HasMethods(["fit", "predict"]), str, Path, None],
        "carry_optimizer": ["boolean"],
        "keep_optimizer": ["boolean"],
        "freeze": [str, "array-like", None],
    }

    _target_limits: tuple[np.ndarray, np.ndarray] | None = None  # models of earlier versions

    # --- fit ---

    @renamed_argument("Y", "y", since="0.1", until="0.3")
    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike, groups: Any = "auto") -> Self:
        """Train on paired profiles.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles, e.g. beta values. No missing values.
        y : array-like or DataFrame of shape (n_samples, n_targets) or (n_samples,)
            Target profiles of the same samples in the same order, e.g. log2(FPKM + 1). When both
            are frames, their indexes must be equal.
        groups : "auto", array-like of shape (n_samples,) or None, default="auto"
            The patient of each sample. Early stopping and the folds of several networks set whole
            patients aside, so that no network is judged on a patient that it has seen. "auto" reads
            the patients from sample ids of TCGA, TARGET or GTEx if some have several samples; in a
            Pipeline, its transformers must pass frames on (``set_output(transform="pandas")``).
            None switches grouping off.

        Returns
        -------
        self
            The fitted regressor. After Ctrl-C it holds the weights and the networks learned so
            far, and a `TrainingInterrupted` warning is given.

        Raises
        ------
        SampleMismatchError
            If X and y name different samples, the same samples in another order, or a sample twice.
        FeatureMismatchError
            If column names are duplicated.
        DeviceMemoryError
            If memory runs out. The message gives sizes and remedies.
        TrainingDivergedError
            If a loss becomes NaN or infinite.
        ValueError
            If a parameter is out of range, if X or y hold missing or infinite values, or if all
            features are constant.
        """
        pretrained = find_pretrained(self)
        self._forget_net()
        source, target = self._check_training_tables(X, y)
        self._learn(X, y, source, target, groups, pretrained)
        return self

    def _learn(
        self, X: Any, y: Any, source: np.ndarray, target: np.ndarray, groups: Any, pretrained: Any
    ) -> None:
        """Learn from the tables of `fit`, which come as they were given and as checked arrays."""
        self._train(
            source,
            target,
            groups=sample_groups(X, groups) if self.early_stopping else None,
            pretrained=fingerprint_of(pretrained) if self.checkpoint_dir else None,
            start=None if pretrained is None else partial(self._start_from, pretrained),
        )
        if self.keep_optimizer:
            self._optimizer_moments = moments_as_arrays(self.net_)
        self.net_.trim_for_prediction()

    def _check_training_tables(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return validated tables of floats, and set the attributes that describe them."""
        source, target = super()._check_training_tables(X, y)
        if self.source_unit == "beta":
            check_beta_values(source)
        if np.array_equal(source.min(axis=0), source.max(axis=0)):
            raise ValueError(
                f"X holds {source.shape[1]} features and all of them are constant over its "
                f"{len(source)} samples: nothing can be learned. Check how X was read or filtered."
            )
        low, high = (np.asarray(of(axis=0), np.float64) for of in (target.min, target.max))
        reach = _SPANS * (high - low)
        self._target_limits = low - reach, high + reach
        return source, target if target.dtype.kind == "f" else target.astype(np.float32)

    def _net_sizes(self) -> dict[str, Any]:
        return {"module__n_source": self.n_features_in_, "module__n_target": self.n_targets_}

    def _start_from(
        self, pretrained: Any, net: OmicsNet, rows: PairedRows, number: int = 0
    ) -> None:
        counts = start_from(pretrained, self, net, number)
        self.n_shared_features_, self.n_shared_targets_ = counts

    def _resolved_params(self) -> dict[str, Any]:
        return super()._resolved_params() | {"pretrained": None}

    @renamed_argument("Y", "y", since="0.1", until="0.3")
    def fine_tune(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        groups: Any = "auto",
        max_epochs: int = 150,
        batch_size: int = 16,
        lr: float | None = None,
        carry_optimizer: bool = False,
        freeze: str | Sequence[str] | None = None,
    ) -> Self:
        """Train a copy of this model on another cohort (transfer learning).

        Training starts from the weights of this model. Features are matched by name. Features that
        both cohorts have start with the weights (and the scaling) of this model, features that
        only the other cohort has start with random weights, and all others are left out. The
        result is that of fitting a clone with ``pretrained=`` this model, which also works in a
        Pipeline or in GridSearchCV.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles of the other cohort.
        y : array-like or DataFrame of shape (n_samples, n_targets)
            Target profiles of the other cohort.
        groups : "auto", array-like of shape (n_samples,) or None, default="auto"
            The patient of each sample of the other cohort, as for :meth:`fit`.
        max_epochs : int, default=150
            Largest number of passes over the training samples. The default is that of TDimpute.
        batch_size : int, default=16
            Number of samples per gradient step. The default is that of TDimpute.
        lr : float, default=None
            Learning rate of the Adam optimizer. None takes the value of this model.
        carry_optimizer : bool, default=False
            Whether to go on with the moments of the Adam optimizer of this model, which must have
            kept them (``keep_optimizer=True``), as TDimpute's code does.
        freeze : str or sequence of str, default=None
            Weights that stay as this model has them, given by the beginning of their names in
            ``net_.module_.named_parameters()``.

        Returns
        -------
        TorchRegressor
            A new fitted model. This model is not changed.

        Raises
        ------
        FeatureMismatchError
            If the cohorts share no features, or if their features differ and the network cannot be
            adapted to other features.
        ValueError
            If a parameter is out of range, or if this model did not keep its optimizer.
        """
        self._check_is_fitted()
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
        return tuned.fit(X, y, groups=groups)

    def __sklearn_clone__(self) -> Self:
        """Copy the parameters, but share the pretrained model, which stays fitted."""
        copy = super().__sklearn_clone__()
        copy.pretrained = self.pretrained
        return copy

    # --- predict ---

    def predict(self, X: ArrayLike, return_std: bool = False, n_draws: int = 30) -> Any:
        """Predict target profiles.

        A sample gets the same result alone and among others, to the last bit. A target that is
        constant in the training samples is predicted by its value, and no prediction lies further
        outside the range of a training target than ten times this range.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles with the columns seen in fit.
        return_std : bool, default=False
            Whether to also return the standard deviation between networks thinned by dropout, a
            measure of the network's uncertainty. If there are several networks, they are thinned in
            turn, so that their disagreement is part of it. With a backbone, it is the root of the
            summed squares of ``(1 - share)`` times the standard deviation that the backbone
            predicts and ``share`` times that of the networks; what one of the two does not offer
            is left out. Real values vary more, because a part of their variation cannot be
            predicted by any model.
        n_draws : int, default=30
            Number of thinned networks, at least 2.

        Returns
        -------
        ndarray of shape (n_samples, n_targets) or (n_samples,)
            Predictions in the units of Y, in float32 if X is float32, else in float64. With
            `return_std` a tuple of predictions and standard deviations.

        Raises
        ------
        FeatureMismatchError
            If columns are missing, unknown or in another order.
        ValueError
            If `return_std` is set and neither a network with dropout nor a backbone gives a
            standard deviation, or if a prediction is not finite.
        """
        self._check_is_fitted()
        if return_std:
            check_scalar(n_draws, "n_draws", Integral, min_val=2)
            self._check_deviation()
        source = check_source(self, X, reset=False)
        if self.source_unit == "beta":
            check_beta_values(source)
        predicted, deviation = self._predict(X, source, n_draws if return_std else 0)
        predicted = self._shaped(check_finite_predictions(self, self._limited(predicted)))
        return predicted if deviation is None else (predicted, self._shaped(deviation))

    def sample_y(
        self,
        X: ArrayLike,
        n_samples: int = 1,
        random_state: int | np.random.RandomState | None = None,
        *,
        residuals: bool = True,
        dropout: bool = False,
    ) -> pd.DataFrame:
        """Draw target profiles: the prediction, noise of networks, and errors of held-out samples.

        The errors are drawn from a normal distribution with the covariance between targets that
        the errors of held-out samples had. They hold all scatter of real values around the
        prediction, so that noise of the networks widens it. The random numbers depend on
        `random_state` and on the number of the row, and not on X.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            Source profiles with the columns seen in fit.
        n_samples : int, default=1
            Number of draws for each row.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.
        residuals : bool, default=True
            Whether to add errors such as held-out samples have.
        dropout : bool, default=False
            Whether each draw takes a network thinned by dropout, the same units for all rows. If
            there are several networks, each draw takes one of them.

        Returns
        -------
        DataFrame of shape (n_rows * n_samples, n_targets)
            Drawn profiles in the units of y and the dtype of the predictions. The index is that of
            X. With several draws a second level, ``draw``, is added, and all rows of a draw stand
            together.

        Raises
        ------
        ValueError
            If `n_samples` is not a positive number, if nothing is left to draw, if `dropout` is
            set and no network has dropout, or if `residuals` is set and the model knows no errors
            of held-out samples. The message says how it learns them.
        """
        self._check_is_fitted()
        check_n_samples(n_samples)
        check_what_is_drawn(self, residuals=residuals, dropout=dropout)
        noise = self._known_noise() if residuals else None
        predicted = np.asarray(self.predict(X))
        predicted = predicted.reshape(len(predicted), -1)
        networks = NetworkDraws(self, check_source(self, X, reset=False), dropout=dropout)

        def draw(random: np.random.Generator) -> np.ndarray:
            center = networks.add_to(predicted, random)
            return center if noise is None else drawn_around(center, noise, random)

        index = index_of(X, len(predicted))
        return labelled_draws(draw, index, self.target_names_, n_samples, random_state)

    def _how_to_learn(self) -> str:
        return f"{super()._how_to_learn()} residuals=False draws noise of the networks alone."

    def _check_is_fitted(self) -> None:
        check_is_fitted(self, "net_")

    def _check_deviation(self) -> None:
        """Raise unless there is a standard deviation to return."""
        if not has_dropout(self.net_):
            raise ValueError(
                f"return_std=True needs a network with dropout, and this {type(self).__name__} "
                "was fitted without. Fit it with dropout, or take the disagreement of several: "
                "omitrans.trust.TrustedRegressor(model, ensemble=True)."
            )

    def _predict(
        self, X: Any, source: np.ndarray, n_draws: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return predictions, and their standard deviations if `n_draws` is above 0."""
        return self._predict_with([self.net_], source, n_draws)

    def _predict_with(
        self, nets: list[OmicsNet], source: np.ndarray, n_draws: int = 0
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return mean predictions of nets, and standard deviations if `n_draws` is above 0."""
        refuse_lost_threads()
        sizes = Sizes(4 * source.size, sum(map(count_weights, nets)))
        with device_memory_errors(sizes, torch.device(nets[0].device)):
            if n_draws:
                return predict_with_deviation(nets, source, source.dtype, n_draws)
            return mean_profiles(nets, source, source.dtype), None

    def _limited(self, predicted: np.ndarray) -> np.ndarray:
        """Return predictions within the limits of the targets; the array is changed in place."""
        if self._target_limits is not None:
            with np.errstate(over="ignore"):
                low, high = (limit.astype(predicted.dtype) for limit in self._target_limits)
            np.clip(predicted, low, high, out=predicted)
        return predicted


def moments_as_arrays(net: OmicsNet) -> dict[str, dict[str, np.ndarray]]:
    """Return the moments of the optimizers of a net as arrays on the host.

    Parameters
    ----------
    net : OmicsNet
        A net that was just trained.

    Returns
    -------
    dict of dict of ndarray
        Arrays by name, for each network.
    """
    return {
        network: {name: value.cpu().numpy() for name, value in values.items()}
        for network, values in optimizer_moments(net).items()
    }
