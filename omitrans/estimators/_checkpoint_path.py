"""Where the checkpoints of a training stand."""

from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np

from omitrans.engine import fingerprint
from omitrans.estimators._pretrained import fingerprint_of

# They say where and how loudly to train, not what comes out.
_WITHOUT_EFFECT = {"checkpoint_dir", "checkpoint_every", "data_location", "resume", "verbose"}


def checkpoint_path(
    estimator: Any, source: np.ndarray, target: np.ndarray, pretrained: Any = None
) -> Path | None:
    """Return the file of this training's checkpoints: the same parameters and data, the same file.

    Parameters
    ----------
    estimator : TorchEstimator
        The model in fit.
    source, target : ndarray
        The training tables.
    pretrained : TorchRegressor or None, default=None
        The fitted model that it starts from.

    Returns
    -------
    pathlib.Path or None
        None without ``checkpoint_dir``.

    Raises
    ------
    ValueError
        If training could not go on from a checkpoint as it began.
    """
    if estimator.checkpoint_dir is None:
        if estimator.resume:
            raise ValueError("resume=True needs checkpoint_dir, the folder of the checkpoints.")
        return None
    if not isinstance(estimator.random_state, Integral):
        raise ValueError(
            "A training with checkpoint_dir needs an integer random_state, so that it can go "
            f"on with the same validation samples. Got random_state={estimator.random_state!r}."
        )
    params = estimator.get_params(deep=False) | {"pretrained": fingerprint_of(pretrained)}
    params = {name: value for name, value in params.items() if name not in _WITHOUT_EFFECT}
    name = f"{type(estimator).__name__}-{fingerprint(params, source, target)}.checkpoint"
    return Path(estimator.checkpoint_dir) / name
