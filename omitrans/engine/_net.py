"""A skorch net for omics tables. It scales batch by batch and sums losses on the device."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from math import sqrt
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import EpochTimer
from torch import Tensor

from omitrans.engine._data import PairedRows
from omitrans.engine._draws import EveryDraw, ask_themselves
from omitrans.engine._probe_dropout import ProbeDropout
from omitrans.engine._scaling import FeatureScaling
from omitrans.exceptions import TrainingDivergedError
from omitrans.utils._draws import generator_on


def penalty_of_noise(n_samples: int, n_source: int, n_target: int) -> float:
    """Return the smallest weight decay that keeps a network from fitting pure noise in the targets.

    Weight decay on two consecutive layers penalises the nuclear norm of their product. With
    uncorrelated standardised features and noise of unit variance, the largest singular value of
    source times noise is about sqrt(n_samples) * (sqrt(n_source) + sqrt(n_target)). A penalty of
    that size on the sum of squared errors shrinks the fitted noise to zero. The penalty is divided
    by the number of samples and targets, because the criterion is a mean over them.

    Parameters
    ----------
    n_samples, n_source, n_target : int
        Number of samples, source features and target features of the training tables.

    Returns
    -------
    float
        The weight decay.
    """
    largest = sqrt(n_samples) * (sqrt(n_source) + sqrt(n_target))
    return largest / (n_samples * n_target)


class StopTraining(Exception):  # noqa: N818 (it ends a loop; it reports no error)
    """Raised by a callback to end training normally."""


class OmicsNet(NeuralNet):
    """One network trained to map source profiles to target profiles.

    Parameters
    ----------
    module : type
        Network class; its arguments are given as ``module__*``.
    criterion : callable
        Function of (network output, scaled target) that returns a scalar tensor.
    reconstruction_weight : float, default=1.0
        Weight of the criterion and of the L2 penalty in the loss.
    alpha : float, default=0.0
        L2 penalty of the network's weights, in units of the penalty that suppresses pure noise in
        the targets (see :func:`penalty_of_noise`). So a value means the same for tables of all
        sizes.
    link : callable or None, default=None
        Function that turns the network's output into a (scaled) profile. None if the output is a
        profile.
    compute_dtype : torch.dtype, default=torch.float32
        Dtype of matrix products; weights and losses stay in float32.
    source_scaling, target_scaling : str or float, default="none"
        Kind of scaling of the features; see :class:`~omitrans.engine._scaling.FeatureScaling`.
    n_noise : int, default=0
        Number of standard normal numbers that the network reads behind the source of each sample:
        the z of G(x, z). Training draws them; elsewhere they are 0.
    probe_dropout : float, default=0.0
        Largest share of source features that training hides in a sample; see
        :class:`~omitrans.engine._probe_dropout.ProbeDropout`.
    **kwargs
        Parameters of :class:`skorch.NeuralNet`.
    """

    monitor = "valid_reconstruction"
    """The column of the history that early stopping watches; lower values are better."""

    size_names: dict[str, tuple[str, str]] = {"module": ("n_source", "n_target")}
    """The names of the first two arguments, both sizes, of each network, by the network's name."""

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
        n_noise: int = 0,
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
        self.n_noise = n_noise
        self.probe_dropout = probe_dropout

    # --- what skorch sets up ---

    @property
    def _default_callbacks(self) -> list[tuple[str, Any]]:
        return [("epoch_timer", EpochTimer())]

    def initialize_criterion(self) -> "OmicsNet":
        """Keep the criterion as it is: a function needs no instance."""
        self.criterion_ = self.criterion
        return self

    def initialize_module(self) -> "OmicsNet":
        """Build the network and the scalings of its source and target."""
        params = self.get_params_for("module")
        n_source, n_target = (params.pop(name) for name in self.size_names["module"])
        self.module_ = self.module(n_source + self.n_noise, n_target, **params)
        self.source_scaling_ = FeatureScaling(n_source, self.source_scaling)
        self.target_scaling_ = FeatureScaling(n_target, self.target_scaling)
        self.hide_probes_ = ProbeDropout(self.probe_dropout)
        return self

    def initialize_optimizer(self, triggered_directly: bool | None = None) -> "OmicsNet":
        """Build the optimizer of the network."""
        params = self.module_.named_parameters()
        args, kwargs = self.get_params_for_optimizer("optimizer", params)
        self.optimizer_ = self.optimizer(*args, **kwargs)
        return self

    def prepare(self, dataset: PairedRows) -> None:
        """Learn the scalings and the weight decay from the training rows, before the first step."""
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
        """Return source and target of a batch as training shows them, with some probes hidden."""
        X, Y = batch
        return self.scaled((self.hide_probes_(X), Y))

    def products(self) -> AbstractContextManager[None]:
        """Return the context in which matrix products run in ``compute_dtype``."""
        low = self.compute_dtype != torch.float32
        return torch.autocast(torch.device(self.device).type, self.compute_dtype, enabled=low)

    def profile(self, output: Tensor) -> Tensor:
        """Return the (scaled) profile that the network's output stands for."""
        return output if self.link is None else self.link(output)

    def with_noise(self, X: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return scaled sources with the noise behind them; None stands for zeros."""
        if self.n_noise == 0:
            return X
        if noise is None:
            noise = X.new_zeros(len(X), self.n_noise)
        return torch.cat([X, noise], dim=1)

    def generate(self, X: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the network's output and the terms that the network adds to the loss, if any."""
        if self.n_noise:
            noise = X.new_empty(len(X), self.n_noise)
            X = self.with_noise(X, noise.normal_(generator=generator_on(X.device)))
        if hasattr(self.module_, "forward_with_penalty"):
            output, penalty = self.module_.forward_with_penalty(X)
            return output, {"penalty": penalty.float()}
        return self.module_(X), {}

    def train_step(self, batch: tuple[Tensor, Tensor], **_: Any) -> dict[str, Tensor]:
        """Take one step of the optimizer on a batch and return the losses."""
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
        """Return the reconstruction loss of a batch, without dropout and without gradients."""
        self._set_training(False)
        with torch.no_grad():
            X, Y = self.scaled(batch)
            with self.products():
                output = self.module_(self.with_noise(X))
            return {"reconstruction": self.criterion_(output.float(), Y)}

    def loss_before_training(self, validation: PairedRows) -> float | None:
        """Return the validation loss of the first weights if they may be the best; here None."""
        return None

    # --- one pass ---

    def on_batch_begin(self, net: NeuralNet, batch: Any = None, **kwargs: Any) -> None:
        """Do nothing: losses are recorded once per epoch, not once per batch."""

    def run_single_epoch(
        self,
        iterator: Iterable[tuple[Tensor, Tensor]] | None,
        training: bool,
        prefix: str,
        step_fn: Callable[..., dict[str, Tensor]],
        **fit_params: Any,
    ) -> None:
        """Run one epoch; losses are summed on the device, so that no step waits for a number."""
        if iterator is None:
            return
        totals: dict[str, Tensor] = {}
        n_samples = 0
        networks = [getattr(self, f"{name}_") for name in self.optimizers_by_network()]
        draws = nullcontext if ask_themselves(networks) else EveryDraw
        for batch in iterator:
            self.notify("on_batch_begin", batch=batch, training=training)
            with draws():
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
        """Train, and remember in `interrupted_` whether Ctrl-C ended the training."""
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

    @property
    def n_useless_epochs(self) -> int:
        """Number of epochs after which there is no model yet that Ctrl-C should leave."""
        return 1

    def result_network(self) -> torch.nn.Module:
        """Return the network whose weights early stopping compares and keeps."""
        return self.module_

    # --- weights as plain data ---

    def modules_state(self) -> dict[str, dict[str, Tensor]]:
        """Return the state of every network and every scaling, by its name."""
        return {name: getattr(self, f"{name}_").state_dict() for name in self._modules}

    def weights_as_arrays(self) -> dict[str, dict[str, np.ndarray]]:
        """Return :meth:`modules_state` as NumPy arrays on the host."""
        return {
            name: {key: weight.cpu().numpy() for key, weight in module.items()}
            for name, module in self.modules_state().items()
        }

    def load_modules_state(self, state: dict[str, dict[str, Tensor]]) -> None:
        """Load a state that :meth:`modules_state` returned."""
        for name in self._modules:
            getattr(self, f"{name}_").load_state_dict(state[name])
