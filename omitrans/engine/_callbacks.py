"""What happens between epochs: learning rate, best weights, early stopping, progress."""

from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from tqdm.auto import tqdm

from omitrans.engine._net import StopTraining


class LinearDecay(Callback):
    """Keep the learning rates constant, then lower them linearly over the last epochs.

    Parameters
    ----------
    max_epochs : int
        Length of training.
    decay_epochs : int
        Length of the decay at its end. The last epoch runs at 1 / (decay_epochs + 1) of the
        rate, as in the authors' code, not at zero.
    """

    def __init__(self, max_epochs: int, decay_epochs: int) -> None:
        self.max_epochs = max_epochs
        self.decay_epochs = decay_epochs

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Set the rates of the epoch that begins, and record the generator's."""
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
        A loss counts as better when it is lower by more than this share of the best so far.
    restore : bool, default=True
        Whether the best weights are put back; else the last ones stay.
    """

    def __init__(self, tol: float, *, restore: bool = True) -> None:
        self.tol = tol
        self.restore = restore

    def initialize(self) -> "BestWeights":
        """Forget what an earlier training left."""
        self.loss_ = float("inf")
        self.epoch_ = 0
        self.weights_: dict[str, torch.Tensor] | None = None
        return self

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Copy the weights if this epoch is the best so far."""
        loss = net.history[-1, net.monitor]
        if loss < self.loss_ - self.tol * abs(self.loss_) or self.weights_ is None:
            self.loss_, self.epoch_ = loss, len(net.history)
            current = net.module_.state_dict()
            if self.weights_ is None:
                self.weights_ = {name: weight.clone() for name, weight in current.items()}
            else:  # into the same memory
                for name, weight in current.items():
                    self.weights_[name].copy_(weight)

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Put the best weights back and free the copy."""
        if self.weights_ is not None and self.restore:
            net.module_.load_state_dict(self.weights_)
        self.weights_ = None

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint must hold."""
        return {"loss": self.loss_, "epoch": self.epoch_, "weights": self.weights_}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state of :meth:`state_dict`."""
        self.loss_, self.epoch_, self.weights_ = state["loss"], state["epoch"], state["weights"]


class StopWhenStale(Callback):
    """End training when the best epoch lies too far back.

    Parameters
    ----------
    best : BestWeights
        Knows the best epoch.
    n_iter_no_change : int
        How many epochs may pass without a better one.
    """

    def __init__(self, best: BestWeights, n_iter_no_change: int) -> None:
        self.best = best
        self.n_iter_no_change = n_iter_no_change

    def is_due(self, net: NeuralNet) -> bool:
        """Say whether training should end after the epochs in the history."""
        return len(net.history) - self.best.epoch_ >= self.n_iter_no_change

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Stop, or go on."""
        if self.is_due(net):
            raise StopTraining


class Progress(Callback):
    """A progress bar over epochs with the losses and the time left.

    Parameters
    ----------
    max_epochs : int
        Length of training.
    """

    def __init__(self, max_epochs: int) -> None:
        self.max_epochs = max_epochs

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Show the bar; a resumed training begins in its middle."""
        self.bar_ = tqdm(total=self.max_epochs, initial=len(net.history), unit="epoch")

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Move the bar on."""
        row = net.history[-1]
        losses = {
            name: f"{value:.4g}"
            for name, value in row.items()
            if name.startswith(("train_", "valid_"))
        }
        self.bar_.set_postfix(losses, refresh=False)
        self.bar_.update()

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Leave the bar as it stands."""
        self.bar_.close()
