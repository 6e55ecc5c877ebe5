"""Networks beside a backbone: train one without each fold, and judge them by what they held out."""

import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from omitrans.baselines._residual_draws import errors_of
from omitrans.engine import OmicsNet, predict_profiles, train_net, writes_checkpoints
from omitrans.estimators._backbone import fit_cross_predict, inner_folds, new_backbone
from omitrans.estimators._forked import refuse_lost_threads
from omitrans.estimators._pretrained import fingerprint_of
from omitrans.estimators._regressor import moments_as_arrays
from omitrans.estimators._share import FoldSums, earned_shares, fold_sums, target_deviations
from omitrans.estimators._trained_net import history_of
from omitrans.exceptions import TrainingDivergedError, TrainingInterrupted
from omitrans.model_selection._folds import Split, sample_groups
from omitrans.utils._callers import called_by_user, user_level
from omitrans.utils._wrapped import group_params

_LEAST_SHARE = 0.05  # below it, the other networks are not worth their time
_ROWS_A_BLOCK = 1024  # a multiple of the rows that networks predict at once


class Tables(NamedTuple):
    """The checked training tables, and the group of each sample."""

    source: np.ndarray
    target: np.ndarray
    groups: np.ndarray | None


class TrainedNetwork(NamedTuple):
    """One network of the ensemble, and what is known of its training."""

    net: OmicsNet
    sums: FoldSums
    history: pd.DataFrame
    best: tuple[int, float] | None  # epoch and validation loss, with early stopping
    moments: dict[str, dict[str, np.ndarray]] | None
    interrupted: bool


def fit_ensemble(
    model: Any,
    X: Any,
    y: Any,
    source: np.ndarray,
    target: np.ndarray,
    groups: Any,
    pretrained: Any,
) -> None:
    """Fit the backbone of a model and its networks, and set the fitted attributes.

    Parameters
    ----------
    model : OmiTransRegressor
        The model in fit, with a backbone.
    X, y : array-like or DataFrame of shape (n_samples, n_features or n_targets)
        The tables as they were given to fit.
    source, target : ndarray of shape (n_samples, n_features or n_targets)
        The same tables, checked.
    groups : "auto", array-like of shape (n_samples,) or None
        Groups as they were given to fit.
    pretrained : OmiTransRegressor or None
        The fitted model whose networks training starts from.
    """
    fast = model.speed == "fast"
    if fast and model.pretrained is not None:
        raise ValueError(
            "speed='fast' trains no network, so nothing could start from pretrained. Use "
            "speed='full', or leave pretrained out."
        )
    writes_checkpoints(model.get_params(deep=False))  # tells what is wrong before the long work
    backbone = new_backbone(model.backbone)
    wanted = not fast or group_params(backbone, None) or not isinstance(groups, str)
    known = sample_groups(X, groups) if wanted else None
    folds, seeds = [], np.zeros(0, dtype=int)
    if not fast:
        draws = check_random_state(model.random_state)
        seeds = draws.randint(np.iinfo(np.int32).max, size=model.n_networks + 1)
        folds = inner_folds(
            model.n_networks,
            len(source),
            known,
            int(seeds[0]),
            early_stopping=model.early_stopping,
        )
    held_out = fit_cross_predict(backbone, X, y, known, folds)
    if folds and held_out.shape != target.shape:
        raise ValueError(
            f"backbone={type(backbone).__name__} predicts tables of the shape {held_out.shape} for "
            f"y of the shape {target.shape}. Give a regressor that predicts each target of y."
        )
    if known is not None:
        known = pd.factorize(known)[0]
    trained: list[TrainedNetwork] = []
    if folds:
        trainer = _Trainer(model, Tables(source, target, known), held_out, pretrained)
        trained = trainer.train(folds, [int(seed) for seed in seeds[1:]])
    _keep(model, backbone, trained)
    if folds:
        model._keep_residuals(trainer.errors(model.network_share_), folds)


def _keep(model: Any, backbone: Any, trained: list[TrainedNetwork]) -> None:
    """Set the fitted attributes of a model, all at once: a fit that fails leaves none."""
    shares = np.zeros(model.n_targets_)
    if trained and not _worthless(trained):
        shares = earned_shares([network.sums for network in trained])
    model.backbone_, model.network_share_ = backbone, shares
    # without a share one network is enough, for a training that starts from it
    kept = trained if shares.any() else trained[:1]
    model.networks_ = [network.net for network in kept]
    model._training_params = model._resolved_params()
    if not trained:
        return
    model.net_ = model.networks_[0]
    model.history_ = pd.concat(
        {number: network.history for number, network in enumerate(trained, start=1)},
        names=["network", None],
    ).reset_index("network")
    model.history_.index = pd.RangeIndex(len(model.history_))
    model.n_iter_ = len(model.history_)
    if model.early_stopping:
        epochs, losses = zip(*(network.best for network in trained), strict=True)
        model.best_epoch_, model.best_validation_loss_ = np.array(epochs), np.array(losses)
    if model.keep_optimizer:
        model._optimizer_moments = [network.moments for network in kept]


def _worthless(trained: list[TrainedNetwork]) -> bool:
    """Return whether the first network earns so little that others are not worth their time."""
    return trained[0].sums.share < _LEAST_SHARE


class _Trainer:
    """Train one network of a model after the other."""

    def __init__(self, model: Any, tables: Tables, held_out: np.ndarray, pretrained: Any) -> None:
        refuse_lost_threads()
        self.model, self.tables, self.held_out = model, tables, held_out
        self.pretrained = pretrained
        self.deviations = target_deviations(tables.target)
        # what each network predicts of the samples that it was not trained on
        self.networks_held_out = np.full(held_out.shape, np.nan, dtype=tables.source.dtype)
        name = fingerprint_of(pretrained) if model.checkpoint_dir else None
        self.checkpoint = model._checkpoint_file(*tables, name)

    def train(self, folds: list[Split], seeds: list[int]) -> list[TrainedNetwork]:
        """Return the trained networks: one for each fold, or fewer if they earn nothing."""
        trained: list[TrainedNetwork] = []
        paths = [self._path(number) for number in range(len(folds))]
        some = any(path is not None and path.exists() for path in paths)
        for number, (fold, seed, path) in enumerate(zip(folds, seeds, paths, strict=False)):
            # a network whose turn had not come has no checkpoint, which is no cause for a warning
            resume = self.model.resume and (not some or (path is not None and path.exists()))
            training = replace(
                self.model._training(),
                random_state=seed,
                resume=resume,
                title=f"network {number + 1} of {len(folds)}",
            )
            try:
                trained.append(self._train_one(number, fold, training, path))
            except KeyboardInterrupt:
                if not trained or not called_by_user():
                    raise
                self._report_interruption(number, len(folds))
                break
            except TrainingDivergedError as error:
                warnings.warn(
                    f"Network {number + 1} of {len(folds)} was not trained to its end, and the "
                    f"model does without it and those after it. {error}",
                    ConvergenceWarning,
                    stacklevel=user_level(),
                )
                break
            if trained[-1].interrupted or _worthless(trained):
                break
        return trained

    def _path(self, number: int) -> Path | None:
        file = self.checkpoint
        return None if file is None else file.with_name(f"{file.stem}-{number + 1}{file.suffix}")

    def _train_one(
        self, number: int, fold: Split, training: Any, path: Path | None
    ) -> TrainedNetwork:
        model, (source, target, groups) = self.model, self.tables
        train, test = fold
        start = None
        if self.pretrained is not None:
            start = partial(model._start_from, self.pretrained, number=number)
        net = train_net(
            partial(model._make_net, **model._net_sizes()),
            source,
            target,
            training,
            samples=train,
            groups=None if groups is None or not model.early_stopping else groups[train],
            checkpoint=path,
            start=start,
        )
        best = dict(net.callbacks_).get("best")
        trained = TrainedNetwork(
            net,
            self._judge(net, test),
            history_of(net),
            None if best is None else (best.epoch_, float(best.loss_)),
            moments_as_arrays(net) if model.keep_optimizer else None,
            net.interrupted_,
        )
        net.trim_for_prediction()  # the next network needs the memory
        return trained

    def _judge(self, net: OmicsNet, test: np.ndarray) -> FoldSums:
        """Compare a network and the backbone on samples that neither was trained on."""
        net._set_training(False)  # without early stopping, training leaves dropout on
        source, target = self.tables.source, self.tables.target
        sums = [np.zeros(len(self.deviations)), np.zeros(len(self.deviations))]
        for start in range(0, len(test), _ROWS_A_BLOCK):
            rows = test[start : start + _ROWS_A_BLOCK]
            network = self.model._limited(predict_profiles(net, source[rows], source.dtype))
            self.networks_held_out[rows] = network
            backbone = self.model._limited(self.held_out[rows].astype(np.float64))
            part = fold_sums(target[rows], backbone, network, self.deviations)
            sums = [total + more for total, more in zip(sums, part, strict=True)]
        return FoldSums(*sums)

    def errors(self, shares: np.ndarray) -> np.ndarray:
        """Return the errors of the model on held-out samples; NaN where no network was judged.

        Parameters
        ----------
        shares : ndarray of shape (n_targets,)
            Share of the networks in the prediction of each target.

        Returns
        -------
        ndarray of shape (n_samples, n_targets)
            Errors of the backbone mixed with the network that did not see the sample.
        """
        predicted = self.model._limited(self.held_out.astype(self.networks_held_out.dtype))
        if shares.any():
            step = self.model._limited(self.networks_held_out)
            step -= predicted
            step *= shares.astype(step.dtype)
            predicted = np.add(predicted, step, out=step)
        return errors_of(self.tables.target, predicted)

    def _report_interruption(self, number: int, n_networks: int) -> None:
        warnings.warn(
            f"Training was interrupted in network {number + 1} of {n_networks}; the model holds "
            f"the {number} networks before it.",
            TrainingInterrupted,
            stacklevel=user_level(),
        )
