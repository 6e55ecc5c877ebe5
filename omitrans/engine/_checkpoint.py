"""Periodic checkpoints of a training, from which it continues exactly."""

import warnings
from collections.abc import Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.history import History

from omitrans.engine._callbacks import BestWeights
from omitrans.engine._draws import FitDraws
from omitrans.exceptions import CheckpointWarning, ModelFileError
from omitrans.utils._callers import called_by_user, user_level
from omitrans.utils._files import replacing
from omitrans.utils._fingerprint import fingerprint, recognised

FORMAT = 1
# Parameters that do not change the result of training.
_WITHOUT_EFFECT = {"checkpoint_dir", "checkpoint_every", "data_location", "resume", "verbose"}


def checkpoint_file(estimator: str, params: dict[str, Any], tables: Sequence[Any]) -> Path | None:
    """Return the checkpoint file of a training: the same parameters and data give the same file.

    Parameters
    ----------
    estimator : str
        Name of the class of the estimator.
    params : dict
        Parameters of the estimator. Those that have no effect on the result may differ; of all
        others, and of the files that they name, everything counts.
    tables : sequence
        The training tables, the names of their columns and everything else that decides the result.

    Returns
    -------
    pathlib.Path or None
        Path of the checkpoint file; None if ``checkpoint_dir`` is None.

    Raises
    ------
    ValueError
        If `resume` is set without `checkpoint_dir`; if `random_state` is not an integer, so that a
        resumed training would set other validation samples aside; or if a parameter cannot be
        recognised when it comes again.
    """
    if not writes_checkpoints(params):
        return None
    known = {
        name: recognised(name, value, option="checkpoint_dir")
        for name, value in params.items()
        if name not in _WITHOUT_EFFECT
    }
    file = f"{estimator}-{fingerprint(known, *tables)}.checkpoint"
    return Path(params["checkpoint_dir"]) / file


def writes_checkpoints(params: dict[str, Any]) -> bool:
    """Return whether a training with these parameters writes checkpoints.

    Parameters
    ----------
    params : dict
        Parameters of the estimator.

    Returns
    -------
    bool
        Whether ``checkpoint_dir`` is given.

    Raises
    ------
    ValueError
        As :func:`checkpoint_file` does.
    """
    if params["checkpoint_dir"] is None:
        if params["resume"]:
            raise ValueError("resume=True needs checkpoint_dir, the folder of the checkpoints.")
        return False
    if not isinstance(params["random_state"], Integral):
        raise ValueError(
            "A training with checkpoint_dir needs an integer random_state, so that it can go "
            f"on with the same validation samples. Got random_state={params['random_state']!r}."
        )
    return True


class Checkpoint(Callback):
    """Write the whole state of training every few epochs; each checkpoint replaces the last one.

    Parameters
    ----------
    path : pathlib.Path
        Path of the checkpoint file. The file is replaced in one move, so it is always complete.
    every : int
        Number of epochs between two checkpoints.
    best : BestWeights or None
        The best weights so far, which are part of the state; None without early stopping.
    draws : FitDraws
        The random number generators of the fit, whose state is stored too.
    """

    def __init__(self, path: Path, every: int, best: BestWeights | None, draws: FitDraws) -> None:
        self.path = path
        self.draws = draws
        self.every = every
        self.best = best

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Make the folder, so that a wrong one is told before hours of training."""
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Write a checkpoint if one is due; a full disk does not end the training."""
        if len(net.history) % self.every != 0:
            return
        try:
            self.write(net)
        except OSError as error:
            kept = "the last one is kept" if self.path.is_file() else "there is none yet"
            warnings.warn(
                f"The checkpoint of epoch {len(net.history)} could not be written ({error}). "
                f"Training goes on; {kept}.",
                CheckpointWarning,
                stacklevel=user_level(),
            )

    def write(self, net: NeuralNet) -> None:
        """Write weights, optimizers, random numbers, history and best weights.

        Raises
        ------
        OSError
            If the file cannot be written; an earlier checkpoint is left as it is.
        """
        state = {
            "format": FORMAT,
            "modules": net.modules_state(),
            "optimizers": {name: getattr(net, f"{name}_").state_dict() for name in net._optimizers},
            "random": self.draws.state(),
            "history": [dict(row) for row in net.history],
            "best": None if self.best is None else self.best.state_dict(),
        }
        with replacing(self.path) as partial, partial.open("wb") as file:
            try:
                torch.save(state, file)
            except RuntimeError as error:  # torch reports a failed write without its reason
                reason = error.__context__
                raise (reason if isinstance(reason, OSError) else error) from None

    def resume(self, net: NeuralNet) -> bool:
        """Put `net` into the state of the checkpoint, and return whether there was one."""
        if not self.path.exists():
            others = len(list(self.path.parent.glob("*.checkpoint")))
            if others and called_by_user():  # a search has one for each of its fits
                warnings.warn(
                    f"resume=True, but the {others} checkpoints in {str(self.path.parent)!r} are "
                    "of other parameters or data: training starts anew.",
                    stacklevel=user_level(),
                )
            return False
        try:
            state = torch.load(self.path, map_location=net.device, weights_only=True)
            found = state["format"]
            if found == FORMAT:
                self._put(state, net)
        except Exception as error:  # torch raises many kinds for a damaged file
            raise ModelFileError(
                f"The checkpoint {str(self.path)!r} is damaged ({error}). Delete it, or fit with "
                "resume=False."
            ) from error
        if found != FORMAT:
            raise ModelFileError(
                f"The checkpoint {str(self.path)!r} has format {found}; this version reads "
                f"{FORMAT}. Fit with resume=False."
            )
        return True

    def _put(self, state: dict[str, Any], net: NeuralNet) -> None:
        net.load_modules_state(state["modules"])
        for name, optimizer_state in state["optimizers"].items():
            getattr(net, f"{name}_").load_state_dict(optimizer_state)
        net.history = History(state["history"])
        if self.best is not None:
            self.best.load_state_dict(state["best"])
        self.draws.set_state(state["random"])
