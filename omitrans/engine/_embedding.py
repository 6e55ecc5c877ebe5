"""Training of an autoencoder with a classifier on its embedding, in three phases."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from omitrans.engine._data import PairedRows
from omitrans.engine._net import OmicsNet
from omitrans.engine._scaling import FeatureScaling

EMBEDDING, HEAD, JOINT = "embedding", "head", "joint"


class ClippedScaling(FeatureScaling):
    """Scaling of features whose scaled values are clipped to a range.

    Parameters
    ----------
    n_features : int
        Number of features.
    kind : str
        Kind of scaling; see :class:`~omitrans.engine._scaling.FeatureScaling`.
    limits : tuple of float or None
        Lowest and highest scaled value; None does not clip.
    """

    def __init__(self, n_features: int, kind: str, limits: tuple[float, float] | None) -> None:
        super().__init__(n_features, kind)
        self.limits = limits

    def forward(self, values: Tensor) -> Tensor:
        """Return the scaled batch."""
        scaled = super().forward(values)
        return scaled if self.limits is None else scaled.clamp(*self.limits)


class EmbeddingNet(OmicsNet):
    """An autoencoder that is trained alone, then its classifier alone, then both together.

    A batch is a pair of profiles (the source) and the number of the class of each sample, as
    integers of shape (n_samples, 1). The network has the methods and parts of
    :class:`~omitrans.networks.autoencoders.ClassifyingAutoencoder`: ``reconstruct``, ``embed`` and
    ``head``. Its other parts are frozen while the head is trained alone, with their dropout and
    their normalisation as in prediction.

    Parameters
    ----------
    module : type
        Network class, built as ``module(n_source, n_classes, **params)``.
    criterion : callable
        Function of (decoded, given) values of a block that returns a scalar tensor: the
        reconstruction loss. The losses of the blocks are averaged.
    embedding_epochs, head_epochs : int
        Number of epochs of the first phase (autoencoder alone) and of the second (head alone). All
        others are joint.
    kl_weight : float, default=0.01
        Weight of the divergence beside the reconstruction.
    embedding_weight : float, default=0.001
        Weight of the loss of the autoencoder beside the classification in the joint phase.
    class_weights : sequence of float or None, default=None
        Weight of the samples of each class in the classification; None weighs all alike.
    limits : tuple of float or None, default=None
        Lowest and highest scaled value of the source.
    head_optimizer : type, default=torch.optim.Adam
        Optimizer class of the head; its arguments are given as ``head_optimizer__*``.
    **kwargs
        Parameters of :class:`~omitrans.engine._net.OmicsNet`.
    """

    monitor = "valid_classification"

    def __init__(
        self,
        *args: Any,
        embedding_epochs: int,
        head_epochs: int,
        kl_weight: float = 0.01,
        embedding_weight: float = 0.001,
        class_weights: Sequence[float] | None = None,
        limits: tuple[float, float] | None = None,
        head_optimizer: type[torch.optim.Optimizer] = torch.optim.Adam,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.embedding_epochs = embedding_epochs
        self.head_epochs = head_epochs
        self.kl_weight = kl_weight
        self.embedding_weight = embedding_weight
        self.class_weights = class_weights
        self.limits = limits
        self.head_optimizer = head_optimizer

    # --- what is set up ---

    def initialize_module(self) -> Self:
        """Build the network and a scaling that clips."""
        super().initialize_module()
        n_source = self.get_params_for("module")[self.size_names["module"][0]]
        self.source_scaling_ = ClippedScaling(n_source, self.source_scaling, self.limits)
        return self

    def initialize_optimizer(self, triggered_directly: bool | None = None) -> Self:
        """Build an optimizer of the autoencoder and one of the head."""
        weights = list(self.module_.named_parameters())
        of_head = [pair for pair in weights if pair[0].startswith("head.")]
        others = [pair for pair in weights if not pair[0].startswith("head.")]
        args, kwargs = self.get_params_for_optimizer("optimizer", others)
        self.optimizer_ = self.optimizer(*args, **kwargs)
        args, kwargs = self.get_params_for_optimizer("head_optimizer", of_head)
        self.head_optimizer_ = self.head_optimizer(*args, **kwargs)
        return self

    def prepare(self, dataset: PairedRows) -> None:
        """Learn the scaling from the training rows, and put the weights of classes in place."""
        self.source_scaling_.learn(dataset.X, dataset.rows)
        weights = self.class_weights
        self._class_weights = (
            None if weights is None else torch.tensor(weights, device=torch.device(self.device))
        )

    @property
    def n_useless_epochs(self) -> int:
        """Number of epochs after which the network cannot classify yet."""
        return max(1, self.embedding_epochs)

    @property
    def phase(self) -> str:
        """The phase of the epoch that is running."""
        epoch = len(self.history)
        if epoch <= self.embedding_epochs:
            return EMBEDDING
        return HEAD if epoch <= self.embedding_epochs + self.head_epochs else JOINT

    # --- steps ---

    def _classification(self, mean: Tensor, labels: Tensor) -> Tensor:
        """Return the weighted cross-entropy of the head's logits for embeddings."""
        with self.products():
            logits = self.module_.head(mean)
        losses = cross_entropy(logits.float(), labels[:, 0], reduction="none")
        if self._class_weights is not None:
            losses = losses * self._class_weights[labels[:, 0]]
        return losses.mean()

    def _autoencoding(self, X: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Return the embeddings, the loss of the autoencoder, and the terms of this loss."""
        with self.products():
            mean, pairs, divergence = self.module_.reconstruct(X)
        distances = [self.criterion_(decoded.float(), given) for decoded, given in pairs]
        distance, divergence = torch.stack(distances).mean(), divergence.float()
        terms = {"reconstruction": distance.detach(), "divergence": divergence.detach()}
        return mean, distance + self.kl_weight * divergence, terms

    def train_step(self, batch: tuple[Tensor, Tensor], **_: Any) -> dict[str, Tensor]:
        """Take one step of the optimizers of the phase on a batch, and return the losses."""
        phase = self.phase
        self._set_training(phase != HEAD)
        X, labels = self.scaled(batch)
        if phase == HEAD:
            self.module_.head.train()
            with torch.no_grad(), self.products():
                mean = self.module_.embed(X)
            loss = self._classification(mean, labels)
            terms = {"classification": loss.detach()}
        else:
            mean, loss, terms = self._autoencoding(X)
        if phase == JOINT:
            classification = self._classification(mean, labels)
            terms["classification"] = classification.detach()
            loss = self.embedding_weight * loss + classification
        self._step(loss, phase)
        return terms

    def _step(self, loss: Tensor, phase: str) -> None:
        optimizers = {
            EMBEDDING: [self.optimizer_],
            HEAD: [self.head_optimizer_],
            JOINT: [self.optimizer_, self.head_optimizer_],
        }[phase]
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()

    def validation_step(self, batch: tuple[Tensor, Tensor], **_: Any) -> dict[str, Tensor]:
        """Return the loss of a batch that tells how far the phase has come."""
        self._set_training(False)
        with torch.no_grad():
            X, labels = self.scaled(batch)
            if self.phase == EMBEDDING:
                return self._autoencoding(X)[2]
            with self.products():
                mean = self.module_.embed(X)
            return {"classification": self._classification(mean, labels)}

    def run_single_epoch(
        self,
        iterator: Iterable[tuple[Tensor, Tensor]] | None,
        training: bool,
        prefix: str,
        step_fn: Callable[..., dict[str, Tensor]],
        **fit_params: Any,
    ) -> None:
        """Run one epoch; while the head is trained alone, only its last epoch is validated.

        The head of this epoch is the first that early stopping may keep, and training does not end
        before the joint phase has begun.
        """
        epoch = len(self.history)
        if not training and self.phase == HEAD and epoch < self.embedding_epochs + self.head_epochs:
            return
        super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
