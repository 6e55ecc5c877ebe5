"""The common base of all estimators with a trained net: training, history and pickling."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from torch import nn

from omitrans.engine import (
    OmicsNet,
    PairedRows,
    Training,
    checkpoint_file,
    rebuild_net,
    train_net,
)
from omitrans.estimators._forked import refuse_lost_threads
from omitrans.utils._sklearn import Interval, StrOptions

# Attributes that say what the columns of the training tables stand for.
_NAMES = ("feature_names_in_", "target_names_", "covariates_")


class TrainedNetEstimator(BaseEstimator):
    """Base class of estimators with a trained ``net_``. A subclass makes the net.

    Subclasses define the parameters named in ``_parameter_constraints`` in their ``__init__``,
    together with their own parameters. :class:`~omitrans.engine.Training` reads these parameters.
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
    net_: OmicsNet
    networks_: list[OmicsNet]  # only of estimators with several
    _earlier_values: dict[str, Any] = {}
    """What models of versions without a parameter did, where that is not its default."""
    device: str | torch.device
    early_stopping: bool

    def _make_net(self, **options: Any) -> OmicsNet:
        """Return a net that is not initialised; `options` are its sizes and common options."""
        raise NotImplementedError

    def _net_sizes(self) -> dict[str, Any]:
        """Return the options of the net that depend on the training tables."""
        raise NotImplementedError

    def _resolved_params(self) -> dict[str, Any]:
        """Return the parameters that rebuild the net without the tables, models, paths of fit."""
        return self.get_params(deep=False) | {"checkpoint_dir": None}

    def _forget_net(self) -> None:
        """Remove the net of an earlier fit, so that a fit that fails leaves no net behind."""
        self.__dict__.pop("net_", None)

    def _training(self) -> Training:
        """Return the options of the training."""
        return Training.of(self)

    def _params_of_checkpoints(self) -> dict[str, Any]:
        """Return the parameters that tell the checkpoints of this training from others."""
        return self.get_params(deep=False)

    def _checkpoint_file(
        self,
        source: np.ndarray,
        target: np.ndarray,
        groups: np.ndarray | None,
        pretrained: str | None,
        n_validation: int = 0,
    ) -> Path | None:
        """Return the checkpoint file of a training on these tables; None writes no checkpoints."""
        params = self._params_of_checkpoints() | {"pretrained": pretrained}
        names = [getattr(self, name, None) for name in _NAMES]
        tables = [source, target, groups, names, *([n_validation] if n_validation else [])]
        return checkpoint_file(type(self).__name__, params, tables)

    def _train(
        self,
        source: np.ndarray,
        target: np.ndarray,
        *,
        groups: np.ndarray | None,
        samples: np.ndarray | None = None,
        n_validation: int = 0,
        pretrained: str | None = None,
        start: Callable[[OmicsNet, PairedRows], None] | None = None,
        finish: Callable[..., None] | None = None,
        training: Training | None = None,
    ) -> None:
        """Train the net on paired tables, and set the fitted attributes."""
        refuse_lost_threads()
        training = training or self._training()
        if groups is not None:
            groups = pd.factorize(groups)[0]
        net = train_net(
            partial(self._make_net, **self._net_sizes()),
            source,
            target,
            training,
            samples=samples,
            groups=groups,
            n_validation=n_validation,
            checkpoint=self._checkpoint_file(source, target, groups, pretrained, n_validation),
            start=start,
            finish=finish,
        )
        self.history_ = history_of(net)
        self.n_iter_ = len(self.history_)
        if training.early_stopping:
            best = dict(net.callbacks_)["best"]
            self.best_epoch_, self.best_validation_loss_ = best.epoch_, float(best.loss_)
        # parameters may change after fit; the net is rebuilt from the parameters of its training
        self._training_params = self._resolved_params()
        self.net_ = net

    # --- pickling ---

    def __getstate__(self) -> dict[str, Any]:
        """Return the state as plain data, with the weights of the net as NumPy arrays."""
        state = dict(super().__getstate__())
        if "networks_" in state:  # the first is `net_`
            state["networks_"] = [net.weights_as_arrays() for net in self.networks_]
            state.pop("net_", None)
        elif "net_" in state:
            state["net_"] = self.net_.weights_as_arrays()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the net on a device of this machine, and load its weights."""
        defaults = inspect.signature(type(self)).parameters
        # an older version may have written the state, without the parameters added later
        known = {name: parameter.default for name, parameter in defaults.items()}
        super().__setstate__(known | self._earlier_values | state)
        if not {"net_", "networks_"} & state.keys():
            return
        blueprint = type(self)(**(self._earlier_values | self._training_params))
        make_net = partial(blueprint._make_net, **self._net_sizes())
        training = replace(blueprint._training(), device=self.device)
        if "networks_" in state:
            self.networks_ = [
                rebuild_net(make_net, training, weights) for weights in state["networks_"]
            ]
            if self.networks_:
                self.net_ = self.networks_[0]
        else:
            self.net_ = rebuild_net(make_net, training, state["net_"])


def history_of(net: OmicsNet) -> pd.DataFrame:
    """Return the history of a training as a table.

    Parameters
    ----------
    net : OmicsNet
        The trained net.

    Returns
    -------
    DataFrame
        One row per epoch.
    """
    rows = [{k: v for k, v in row.items() if k != "batches"} for row in net.history]
    return pd.DataFrame(rows).rename(columns={"dur": "seconds"})


def network_params(
    network: type[nn.Module], shared: dict[str, Any], own: dict[str, Any] | None
) -> dict[str, Any]:
    """Return the arguments of a network: the shared arguments that it takes, and its own.

    Parameters
    ----------
    network : type
        Class of the network.
    shared : dict
        Parameters of the estimator that many networks take.
    own : dict or None
        Arguments that the user gives for this network only.

    Returns
    -------
    dict
        Arguments by name.
    """
    known = inspect.signature(network).parameters
    return {name: value for name, value in shared.items() if name in known} | (own or {})


def check_widths(estimator: Any, *, at_least: int = 0) -> None:
    """Raise unless ``hidden_layer_sizes`` of an estimator holds whole numbers.

    Parameters
    ----------
    estimator : estimator
        The estimator in fit.
    at_least : {0, 1}, default=0
        Smallest number of widths.
    """
    if len(estimator.hidden_layer_sizes) < at_least:
        raise ValueError(
            f"The 'hidden_layer_sizes' parameter of {type(estimator).__name__} is empty; give one "
            "width at least."
        )
    for width in estimator.hidden_layer_sizes:
        if not isinstance(width, Integral) or width < 1:
            raise ValueError(
                f"The 'hidden_layer_sizes' parameter of {type(estimator).__name__} must hold whole "
                f"numbers of at least 1. Got {width!r} in {estimator.hidden_layer_sizes!r} instead."
            )
