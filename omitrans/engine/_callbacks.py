"""Callbacks that run between epochs: learning rate, best weights, early stopping, progress."""

from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from tqdm.auto import tqdm

from omitrans.engine._data import PairedRows
from omitrans.engine._net import StopTraining


class LinearDecay(Callback):
    """Keep the learning rates constant, then lower them linearly over the last epochs.

    Parameters
    ----------
    max_epochs : int
        Number of epochs of the training.
    decay_epochs : int
        Number of epochs at the end of the training over which the rate falls. The last epoch runs
        at 1 / (decay_epochs + 1) of the rate, as in the authors' code, not at zero.
    """

    def __init__(self, max_epochs: int, decay_epochs: int) -> None:
        self.max_epochs = max_epochs
        self.decay_epochs = decay_epochs

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Set the learning rates of the epoch that begins, and record the generator's rate."""
        elapsed = len(net.history) - (self.max_epochs - self.decay_epochs)
        factor = 1 - max(0, elapsed) / (self.decay_epochs + 1)
        for name in net._optimizers:
            for group in getattr(net, f"{name}_").param_groups:
                group["lr"] = factor * group.setdefault("initial_lr", group["lr"])
        net.history.record("lr", net.optimizer_.param_groups[0]["lr"])


class BestWeights(Callback):
    """Remember the weights with the lowest validation loss, and put them back at the end.

    Parameters
    ----------
    tol : float
        A loss counts as better when it is lower than the best loss so far by more than this share
        of it.
    restore : bool, default=True
        Whether to put the best weights back at the end. With False the last weights stay.
    """

    def __init__(self, tol: float, *, restore: bool = True) -> None:
        self.tol = tol
        self.restore = restore

    def initialize(self) -> "BestWeights":
        """Forget the best weights of an earlier training."""
        self.loss_ = float("inf")
        self.epoch_ = 0
        self.weights_: dict[str, torch.Tensor] | None = None
        return self

    def begin(self, net: Any, validation: PairedRows) -> None:
        """Judge the weights before the first step, where they are those of a fitted model."""
        loss = net.loss_before_training(validation)
        if loss is not None:
            self._consider(net, loss)

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Copy the weights if this epoch is the best so far."""
        loss = net.history[-1].get(net.monitor)
        if loss is not None:  # there was a validation
            self._consider(net, loss)

    def _consider(self, net: Any, loss: float) -> None:
        if loss < self.loss_ - self.tol * abs(self.loss_) or self.weights_ is None:
            self.loss_, self.epoch_ = loss, len(net.history)
            current = net.result_network().state_dict()
            if self.weights_ is None:
                self.weights_ = {name: weight.clone() for name, weight in current.items()}
            else:  # write into the same memory
                for name, weight in current.items():
                    self.weights_[name].copy_(weight)

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Put the best weights back and free the memory of the copy."""
        if self.weights_ is not None and self.restore:
            net.module_.load_state_dict(self.weights_)
        self.weights_ = None

    def state_dict(self) -> dict[str, Any]:
        """Return the state that a checkpoint must hold."""
        return {"loss": self.loss_, "epoch": self.epoch_, "weights": self.weights_}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a state that :meth:`state_dict` returned."""
        self.loss_, self.epoch_, self.weights_ = state["loss"], state["epoch"], state["weights"]


class StopWhenStale(Callback):
    """End training when too many epochs have passed since the best one.

    Parameters
    ----------
    best : BestWeights
        The callback that knows the best epoch.
    n_iter_no_change : int
        Number of epochs that may pass without a better one.
    """

    def __init__(self, best: BestWeights, n_iter_no_change: int) -> None:
        self.best = best
        self.n_iter_no_change = n_iter_no_change

    def is_due(self, net: NeuralNet) -> bool:
        """Return whether training should end after the epochs in the history.

        It ends in epochs with a validation only, since the others cannot be compared.
        """
        stale = len(net.history) - self.best.epoch_ >= self.n_iter_no_change
        return stale and net.monitor in net.history[-1]

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Stop training if too many epochs have passed since the best one."""
        if self.is_due(net):
            raise StopTraining


class Progress(Callback):
    """A progress bar over the epochs that shows the losses and the time left.

    Parameters
    ----------
    max_epochs : int
        Number of epochs of the training.
    title : str, default=""
        What the training is called in front of the bar.
    """

    def __init__(self, max_epochs: int, title: str = "") -> None:
        self.max_epochs = max_epochs
        self.title = title

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Show the bar; a resumed training starts at the epoch that it has reached."""
        done, title = len(net.history), self.title or None
        self.bar_ = tqdm(total=self.max_epochs, initial=done, unit="epoch", desc=title)

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Show the losses of the epoch and move the bar one epoch forward."""
        row = net.history[-1]
        losses = {
            name: f"{value:.4g}"
            for name, value in row.items()
            if name.startswith(("train_", "valid_"))
        }
        self.bar_.set_postfix(losses, refresh=False)
        self.bar_.update()

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Close the bar, which stays visible."""
        self.bar_.close()
