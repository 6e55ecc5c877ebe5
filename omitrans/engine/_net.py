"""A skorch net for omics tables: scaling batch by batch, losses summed on the device."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from math import sqrt
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import EpochTimer
from torch import Tensor

from omitrans.engine._data import PairedRows
from omitrans.engine._probe_dropout import ProbeDropout
from omitrans.engine._scaling import FeatureScaling
from omitrans.exceptions import TrainingDivergedError


def penalty_of_noise(n_samples: int, n_source: int, n_target: int) -> float:
    """Return the weight decay that just holds back what pure noise in the targets would fit.

    Weight decay on two layers in a row penalises the nuclear norm of their product. With
    uncorrelated standardised features and noise of unit variance, the largest singular value of
    source times noise is about sqrt(n_samples) * (sqrt(n_source) + sqrt(n_target)); a penalty of
    that size on the sum of squared errors shrinks all of it to zero. The criterion is a mean over
    samples and targets, hence the division.

    Parameters
    ----------
    n_samples, n_source, n_target : int
        Sizes of the training tables.

    Returns
    -------
    float
        The weight decay.
    """
    largest = sqrt(n_samples) * (sqrt(n_source) + sqrt(n_target))
    return largest / (n_samples * n_target)


class StopTraining(Exception):  # noqa: N818 (it ends a loop; it reports no error)
    """Raised by a callback to end training in good order."""


class OmicsNet(NeuralNet):
    """One network trained to map source profiles to target profiles.

    Parameters
    ----------
    module : type
        Network class; its arguments come as ``module__*``.
    criterion : callable
        Function of (network output, scaled target) that returns a scalar tensor.
    reconstruction_weight : float, default=1.0
        Weight of the criterion, and of the penalty beside it, in the loss.
    alpha : float, default=0.0
        L2 penalty of the network's weights, in units of what noise in the targets would explain by
        chance (see :func:`penalty_of_noise`); so it means the same for tables of all sizes.
    link : callable or None, default=None
        What turns the network's output into a (scaled) profile; None where it is one.
    compute_dtype : torch.dtype, default=torch.float32
        Dtype of matrix products; weights and losses stay in float32.
    source_scaling, target_scaling : str or float, default="none"
        See :class:`~omitrans.engine._scaling.FeatureScaling`.
    probe_dropout : float, default=0.0
        See :class:`~omitrans.engine._probe_dropout.ProbeDropout`.
    **kwargs
        As for :class:`skorch.NeuralNet`.
    """

    monitor = "valid_reconstruction"
    """Which column of the history early stopping looks at; the lower, the better."""

    size_names: dict[str, tuple[str, str]] = {"module": ("n_source", "n_target")}
    """The two sizes that each network takes first, by the network's name."""

    def __init__(
        self,
        module: type[torch.nn.Module],
        criterion: Callable[[Tensor, Tensor], Tensor],
        *,
        reconstruction_weight: float = 1.0,
        alpha: float = 0.0,
        link: Callable[[Tensor], Tensor] | None = None,
        compute_dtype: torch.dtype = torch.float32,
        source_scaling: str = "none",
        target_scaling: str | float = "none",
        probe_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(module, criterion, **kwargs)
        self.reconstruction_weight = reconstruction_weight
        self.alpha = alpha
        self.link = link
        self.compute_dtype = compute_dtype
        self.source_scaling = source_scaling
        self.target_scaling = target_scaling
        self.probe_dropout = probe_dropout

    # --- what skorch sets up ---

    @property
    def _default_callbacks(self) -> list[tuple[str, Any]]:
        return [("epoch_timer", EpochTimer())]

    def initialize_criterion(self) -> "OmicsNet":
        """Keep the criterion as it is: a pure function needs no instance."""
        self.criterion_ = self.criterion
        return self

    def initialize_module(self) -> "OmicsNet":
        """Build the network and the scaling of its source and target."""
        params = self.get_params_for("module")
        n_source, n_target = (params.pop(name) for name in self.size_names["module"])
        self.module_ = self.module(n_source, n_target, **params)
        self.source_scaling_ = FeatureScaling(n_source, self.source_scaling)
        self.target_scaling_ = FeatureScaling(n_target, self.target_scaling)
        self.hide_probes_ = ProbeDropout(self.probe_dropout)
        return self

    def initialize_optimizer(self, triggered_directly: bool | None = None) -> "OmicsNet":
        """Give the network its optimizer."""
        params = self.module_.named_parameters()
        args, kwargs = self.get_params_for_optimizer("optimizer", params)
        self.optimizer_ = self.optimizer(*args, **kwargs)
        return self

    def prepare(self, dataset: PairedRows) -> None:
        """Take from the training rows what is known before the first step."""
        self.source_scaling_.learn(dataset.X, dataset.rows)
        self.target_scaling_.learn(dataset.Y, dataset.rows)
        self.hide_probes_.learn(dataset.X, dataset.rows)
        penalty = self.alpha * penalty_of_noise(
            len(dataset), dataset.X.shape[1], dataset.Y.shape[1]
        )
        for group in self.optimizer_.param_groups:
            group["weight_decay"] = self.reconstruction_weight * penalty

    # --- one step ---

    def scaled(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return source and target of a batch in the units that the network sees."""
        X, Y = batch
        return self.source_scaling_(X), self.target_scaling_(Y)

    def shown(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the same as training shows it, with probes hidden."""
        X, Y = batch
        return self.scaled((self.hide_probes_(X), Y))

    def products(self) -> AbstractContextManager[None]:
        """Return the context in which matrix products run in ``compute_dtype``."""
        low = self.compute_dtype != torch.float32
        return torch.autocast(torch.device(self.device).type, self.compute_dtype, enabled=low)

    def profile(self, output: Tensor) -> Tensor:
        """Return the (scaled) profile that the network's output stands for."""
        return output if self.link is None else self.link(output)

    def generate(self, X: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the network's output, and a term of the loss that it brings along, if any."""
        if hasattr(self.module_, "forward_with_penalty"):
            output, penalty = self.module_.forward_with_penalty(X)
            return output, {"penalty": penalty.float()}
        return self.module_(X), {}

    def train_step(self, batch: tuple[Tensor, Tensor], **_: Any) -> dict[str, Tensor]:
        """Take one step of the optimizer and return the losses."""
        self._set_training(True)
        X, Y = self.shown(batch)
        with self.products():
            output, penalty = self.generate(X)
        distance = self.criterion_(output.float(), Y)
        loss = self.reconstruction_weight * distance + sum(penalty.values())
        self.optimizer_.zero_grad()
        loss.backward()
        self.optimizer_.step()
        return {
            "reconstruction": distance.detach(),
            **{name: term.detach() for name, term in penalty.items()},
        }

    def validation_step(self, batch: tuple[Tensor, Tensor], **_: Any) -> dict[str, Tensor]:
        """Return the reconstruction loss of a batch, without dropout and gradients."""
        self._set_training(False)
        with torch.no_grad():
            X, Y = self.scaled(batch)
            with self.products():
                output = self.module_(X)
            return {"reconstruction": self.criterion_(output.float(), Y)}

    # --- one pass ---

    def on_batch_begin(self, net: NeuralNet, batch: Any = None, **kwargs: Any) -> None:
        """Leave the history alone: losses are recorded once an epoch."""

    def run_single_epoch(
        self,
        iterator: Iterable[tuple[Tensor, Tensor]] | None,
        training: bool,
        prefix: str,
        step_fn: Callable[..., dict[str, Tensor]],
        **fit_params: Any,
    ) -> None:
        """Pass over the batches; sum losses on the device, so that no step waits for a number."""
        if iterator is None:
            return
        totals: dict[str, Tensor] = {}
        n_samples = 0
        for batch in iterator:
            self.notify("on_batch_begin", batch=batch, training=training)
            losses = step_fn(batch, **fit_params)
            n_samples += len(batch[0])
            for name, loss in losses.items():
                totals[name] = totals.get(name, 0) + loss * len(batch[0])
            self.notify("on_batch_end", batch=batch, training=training, **losses)
        for name, total in totals.items():
            value = float(total) / n_samples
            self.history.record(f"{prefix}_{name}", value)
            if value != value or abs(value) == float("inf"):
                raise TrainingDivergedError(
                    f"The loss {prefix}_{name} became {value} in epoch {len(self.history)}. "
                    "Lower lr, scale the data (source_scaling='standard', "
                    "target_scaling='standard'), or use precision='float32'."
                )

    def fit_loop(
        self, X: Any, y: Any = None, epochs: int | None = None, **kwargs: Any
    ) -> "OmicsNet":
        """Train; remember whether it ended by itself, by a callback or by Ctrl-C."""
        self.interrupted_ = False
        try:
            super().fit_loop(X, y, epochs, **kwargs)
        except StopTraining:
            pass
        except KeyboardInterrupt:
            self.interrupted_ = True
            raise  # skorch ends training here and runs on_train_end
        return self

    def optimizers_by_network(self) -> dict[str, torch.optim.Optimizer]:
        """Return the optimizer of every trained network, by the network's name."""
        return {"module": self.optimizer_}

    # --- weights as plain data ---

    def modules_state(self) -> dict[str, dict[str, Tensor]]:
        """Return the state of every network and scaling, by name."""
        return {name: getattr(self, f"{name}_").state_dict() for name in self._modules}

    def weights_as_arrays(self) -> dict[str, dict[str, np.ndarray]]:
        """Return :meth:`modules_state` in NumPy arrays on the host."""
        return {
            name: {key: weight.cpu().numpy() for key, weight in module.items()}
            for name, module in self.modules_state().items()
        }

    def load_modules_state(self, state: dict[str, dict[str, Tensor]]) -> None:
        """Put back a state of :meth:`modules_state`."""
        for name in self._modules:
            getattr(self, f"{name}_").load_state_dict(state[name])
