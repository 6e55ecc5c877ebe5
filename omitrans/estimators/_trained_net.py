"""What every estimator trained by the engine keeps: its net and history, and how to store them."""

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

from omitrans.engine import OmicsNet, Training, checkpoint_file, rebuild_net, train_net
from omitrans.utils._sklearn import Interval, StrOptions


class TrainedNetEstimator(BaseEstimator):
    """Estimators with a trained ``net_``. A subclass says which net, and of which size.

    Subclasses define the parameters named in ``_parameter_constraints`` in their ``__init__``,
    beside their own; :class:`~omitrans.engine.Training` reads them.
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
    device: str | torch.device
    early_stopping: bool

    def _make_net(self, **options: Any) -> OmicsNet:
        """Return the net, not initialised; `options` are sizes and what every net takes."""
        raise NotImplementedError

    def _net_sizes(self) -> dict[str, Any]:
        """Return those options of the net that the training tables decide."""
        raise NotImplementedError

    def _resolved_params(self) -> dict[str, Any]:
        """Return parameters that rebuild the net without the tables and models of fit."""
        return self.get_params(deep=False)

    def _forget_net(self) -> None:
        """Let a fit that fails leave no net of other data behind."""
        self.__dict__.pop("net_", None)

    def _train(
        self,
        source: np.ndarray,
        target: np.ndarray,
        *,
        groups: np.ndarray | None,
        pretrained: str | None = None,
        start: Callable[[OmicsNet], None] | None = None,
        finish: Callable[..., None] | None = None,
    ) -> None:
        """Train the net on paired tables, and set what fit leaves behind."""
        training = Training.of(self)
        params = self.get_params(deep=False) | {"pretrained": pretrained}
        tables = [source, target]
        if groups is not None:
            groups = np.unique(np.asarray(groups).astype(str), return_inverse=True)[1]
            tables.append(groups.reshape(-1, 1))
        net = train_net(
            partial(self._make_net, **self._net_sizes()),
            source,
            target,
            training,
            groups=groups,
            checkpoint=checkpoint_file(type(self).__name__, params, tables),
            start=start,
            finish=finish,
        )
        rows = [{k: v for k, v in row.items() if k != "batches"} for row in net.history]
        self.history_ = pd.DataFrame(rows).rename(columns={"dur": "seconds"})
        self.n_iter_ = len(rows)
        if self.early_stopping:
            best = dict(net.callbacks_)["best"]
            self.best_epoch_, self.best_validation_loss_ = best.epoch_, float(best.loss_)
        # parameters may be set anew after fit; the net is rebuilt from those it was trained with
        self._training_params = self._resolved_params()
        self.net_ = net

    # --- pickling ---

    def __getstate__(self) -> dict[str, Any]:
        """Return plain data: the net is replaced by its weights in NumPy arrays."""
        state = dict(super().__getstate__())
        if "net_" in state:
            state["net_"] = self.net_.weights_as_arrays()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the net on a device of this machine, and give it its weights."""
        defaults = inspect.signature(type(self)).parameters
        # an older version may have written it, without the parameters that came later
        known = {name: parameter.default for name, parameter in defaults.items()}
        super().__setstate__(known | state)
        if "net_" not in state:
            return
        blueprint = type(self)(**self._training_params)
        make_net = partial(blueprint._make_net, **self._net_sizes())
        training = replace(Training.of(blueprint), device=self.device)
        self.net_ = rebuild_net(make_net, training, state["net_"])


def network_params(
    network: type[nn.Module], shared: dict[str, Any], own: dict[str, Any] | None
) -> dict[str, Any]:
    """Return the arguments of a network: the shared ones that it knows, and its own.

    Parameters
    ----------
    network : type
        The network's class.
    shared : dict
        Parameters of the estimator that many networks take.
    own : dict or None
        What the user gives this network besides.

    Returns
    -------
    dict
        Arguments by name.
    """
    known = inspect.signature(network).parameters
    return {name: value for name, value in shared.items() if name in known} | (own or {})


def check_widths(estimator: Any) -> None:
    """Raise unless ``hidden_layer_sizes`` of an estimator holds whole numbers.

    Parameters
    ----------
    estimator : estimator
        The estimator in fit.
    """
    for width in estimator.hidden_layer_sizes:
        if not isinstance(width, Integral) or width < 1:
            raise ValueError(
                f"The 'hidden_layer_sizes' parameter of {type(estimator).__name__} must hold whole "
                f"numbers of at least 1. Got {width!r} in {estimator.hidden_layer_sizes!r} instead."
            )
