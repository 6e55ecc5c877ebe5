"""TDimputeRegressor: a network with one wide hidden layer, made for transfer learning."""

from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import torch

from omitrans.engine import SCALINGS, OmicsNet
from omitrans.estimators._regressor import TorchRegressor
from omitrans.losses import RECONSTRUCTION_LOSSES
from omitrans.networks import get_generator
from omitrans.utils._sklearn import Interval, StrOptions


class TDimputeRegressor(TorchRegressor):
    """Predict one omics profile from another with TDimpute's network and transfer learning.

    The network has one hidden layer of sigmoid units and is trained on the root of the mean squared
    error of a batch. All targets are scaled to [0, 1] with one scale, and the output is a sigmoid.
    So predictions stay within the range of the training targets (or below a given number).

    The paper names three ways to predict the targets of a cohort. "self" is :meth:`fit` on the
    cohort itself. "noTF" predicts with a model of other cohorts. "transfer" is :meth:`fine_tune`
    of such a model on the cohort.

    Parameters
    ----------
    n_hidden : int, default=4000
        Number of units of the hidden layer.
    output_sigmoid : bool, default=True
        Whether to apply a sigmoid to the output, as in the authors' code; the paper does not say.
        A sigmoid limits the predictions to the scaled range [0, 1].
    source_scaling : {"none", "standard", "minmax", "range"}, default="none"
        Scaling of X, as described for `target_scaling`. Beta values need no scaling.
    target_scaling : {"range", "minmax", "standard", "none"} or float, default="range"
        Scaling of Y, learned on the training samples; predictions are returned in the units of Y.
        "range" scales the whole table to [0, 1]. For log2 expression, whose smallest value is 0,
        this is the division by the largest value in the authors' code. "minmax" scales each gene
        to [0, 1], and "standard" scales each gene to mean 0 and standard deviation 1. "range" is
        refused if genes differ so much in size that float32 cannot resolve the smallest. A number
        divides all values by it; the authors' code has 16.5 for log2(RSEM + 1).
    lr : float, default=1e-4
        Learning rate of the optimizer.
    alpha : float, default=0.0
        Strength of the L2 penalty on the weights of the network. Its unit grows with the size of
        the tables: a value of about 1 just holds back what the network could fit to pure noise in
        standardised targets, so that one value serves tables of all sizes. 0 switches the penalty
        off.
    batch_size : int, default=16
        Number of samples per gradient step.
    max_epochs : int, default=300
        Largest number of passes over the training samples.
    decay_epochs : int, default=0
        Number of epochs, at the end of `max_epochs`, over which the learning rate falls linearly.
    early_stopping : bool, default=False
        Whether to set some samples aside for validation, to end training when the loss on them no
        longer falls, and to keep the weights with which it was lowest.
    validation_fraction : float, default=0.1
        Share of the samples that early stopping sets aside. All samples of a patient are set aside
        together; see `groups` of :meth:`fit`.
    n_iter_no_change : int, default=30
        Number of epochs without a better validation loss after which training ends.
    tol : float, default=1e-4
        A validation loss counts as better when it is lower than the best one so far by more than
        this share of it.
    probe_dropout : float, default=0.0
        Largest share of the source features that training hides. Each sample in each batch loses a
        random share of its features between 0 and this value; hidden features take their training
        means. Values up to about 0.4 cost little on complete arrays, and save some of the accuracy
        that is lost where missing probes are filled by means.
    source_unit : {"beta"} or None, default=None
        "beta" declares that X holds beta values, so that values outside [0, 1] are refused.
    pretrained : TDimputeRegressor, str or pathlib.Path, default=None
        A fitted model of the same class, or the path of a saved one, whose weights training starts
        from. Features are matched by name, as in :meth:`fine_tune`. Cloning shares the model, so
        that this parameter works in a Pipeline and in GridSearchCV. It is needed in `fit` only.
    carry_optimizer : bool, default=False
        Whether to go on with the moments of the Adam optimizer of `pretrained`, which must have
        kept them (``keep_optimizer=True``), as TDimpute's code does.
    keep_optimizer : bool, default=False
        Whether to keep the moments of the Adam optimizer after `fit`, for a training that carries
        on. They take twice the memory of the weights.
    freeze : str or sequence of str, default=None
        Weights that stay as `pretrained` has them, given by the beginning of their names in
        ``net_.module_.named_parameters()``.
    device : str or torch.device, default="auto"
        Where to train and predict. "auto" takes a CUDA device if there is one, and the CPU
        otherwise. Or name the device: "cpu", "cuda", "cuda:1", ...
    precision : {"auto", "float32", "bf16"}, default="auto"
        Data type of matrix products; weights and losses stay in float32. "auto" takes bfloat16 on
        GPUs that compute in it, and float32 elsewhere.
    data_location : {"auto", "device", "host"}, default="auto"
        Where the training tables lie. "device" moves them to the device once; "host" leaves them in
        memory, or in a :class:`numpy.memmap`, and streams the batches. "auto" streams only what
        does not fit on the device.
    checkpoint_dir : str or pathlib.Path, default=None
        Folder for checkpoints; it needs an integer `random_state`. None writes no checkpoints.
    checkpoint_every : int, default=50
        Number of epochs between two checkpoints.
    resume : bool, default=False
        Whether to go on from a checkpoint in `checkpoint_dir` that was made with the same
        parameters on the same data, if there is one. The result is that of a training without
        interruption.
    random_state : int, RandomState instance or None, default=None
        Seed of everything that training draws: initial weights, dropout, masks, validation samples
        and the order of batches. The global generators of NumPy and torch are left as they are.
    verbose : int, default=0
        1 shows a progress bar with the losses and the time left.

    Attributes
    ----------
    net_ : OmicsNet
        The trained skorch net. ``net_.module_`` is the network that predicts.
    history_ : DataFrame
        One row per epoch: losses of the training and validation samples (in scaled units), learning
        rate, and seconds.
    n_iter_ : int
        Number of epochs that were run.
    best_epoch_ : int
        Epoch with the lowest validation loss. Only with early stopping.
    best_validation_loss_ : float
        The lowest validation loss. Only with early stopping.
    n_shared_features_, n_shared_targets_ : int
        Number of source and target features that were matched with those of `pretrained`. Only with
        `pretrained`.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of X seen in fit, if X is a frame.
    n_targets_ : int
        Number of targets.
    target_names_ : ndarray of shape (n_targets,)
        Names of the targets: the columns of y, or y0, y1, ... where y has no names.

    See Also
    --------
    OmiTransRegressor : A conditional GAN for the same task.

    Notes
    -----
    The published settings are: 16 samples per batch for one cohort and 128 for all cohorts; 100
    epochs for one cohort, 300 for all cohorts and 150 for fine-tuning, without early stopping; and
    no L2 penalty.

    The initial weights are drawn from Glorot's uniform distribution, as in the authors' code. In
    that code a batch may hold samples of two epochs, and the last samples of the training are left
    out. Here the last batch of an epoch is smaller instead.

    References
    ----------
    .. [1] X. Zhou et al., "Imputing missing RNA-sequencing data from DNA methylation by using a
       transfer learning-based neural network", GigaScience 9, 2020.

    Examples
    --------
    >>> from omitrans import TDimputeRegressor
    >>> from omitrans.datasets import make_paired_omics
    >>> data = make_paired_omics(n_samples=80, n_probes=200, n_genes=30, random_state=0)
    >>> X = data.X.fillna(data.X.mean())
    >>> general = TDimputeRegressor(n_hidden=50, max_epochs=3, random_state=0)
    >>> general = general.fit(X[:60], data.Y[:60])
    >>> tuned = general.fine_tune(X[60:75], data.Y[60:75], max_epochs=2)
    >>> tuned.predict(X[75:]).shape
    (5, 30)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **TorchRegressor._parameter_constraints,
        "n_hidden": [Interval(Integral, 1, None, closed="left")],
        "output_sigmoid": ["boolean"],
        "source_scaling": [StrOptions(set(SCALINGS))],
        "target_scaling": [StrOptions(set(SCALINGS)), Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        n_hidden: int = 4000,
        *,
        output_sigmoid: bool = True,
        source_scaling: str = "none",
        target_scaling: str | float = "range",
        lr: float = 1e-4,
        alpha: float = 0.0,
        batch_size: int = 16,
        max_epochs: int = 300,
        decay_epochs: int = 0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 30,
        tol: float = 1e-4,
        probe_dropout: float = 0.0,
        source_unit: str | None = None,
        pretrained: Any = None,
        carry_optimizer: bool = False,
        keep_optimizer: bool = False,
        freeze: str | Sequence[str] | None = None,
        device: str | torch.device = "auto",
        precision: str = "auto",
        data_location: str = "auto",
        checkpoint_dir: str | Path | None = None,
        checkpoint_every: int = 50,
        resume: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_hidden = n_hidden
        self.output_sigmoid = output_sigmoid
        self.source_scaling = source_scaling
        self.target_scaling = target_scaling
        self.lr = lr
        self.alpha = alpha
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.decay_epochs = decay_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.probe_dropout = probe_dropout
        self.source_unit = source_unit
        self.pretrained = pretrained
        self.carry_optimizer = carry_optimizer
        self.keep_optimizer = keep_optimizer
        self.freeze = freeze
        self.device = device
        self.precision = precision
        self.data_location = data_location
        self.checkpoint_dir = checkpoint_dir
        self.checkpoint_every = checkpoint_every
        self.resume = resume
        self.random_state = random_state
        self.verbose = verbose

    def _check_training_tables(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        source, target = super()._check_training_tables(X, y)
        if self.output_sigmoid and self.target_scaling not in ("range", "minmax"):
            scale = self.target_scaling if isinstance(self.target_scaling, Real) else 1.0
            low, high = target.min(), target.max()
            if self.target_scaling == "standard" or low < 0 or high > scale:
                raise ValueError(
                    "output_sigmoid=True bounds the predictions to [0, 1] in scaled units, but Y "
                    f"ranges from {low:.4g} to {high:.4g} with target_scaling="
                    f"{self.target_scaling!r}. Use target_scaling='range', or output_sigmoid=False."
                )
        if self.target_scaling == "range":
            self._check_one_scale_serves(target)
        return source, target

    def _check_one_scale_serves(self, target: np.ndarray) -> None:
        """Raise an error if targets vary by less than float32 resolves in the scale of all."""
        low, high = (np.asarray(of(axis=0), np.float64) for of in (target.min, target.max))
        resolved = np.finfo(np.float32).eps * (high.max() - low.min())
        lost = np.flatnonzero((high > low) & (high - low <= resolved))
        if len(lost):
            raise ValueError(
                f"target_scaling='range' gives all targets one scale, and {len(lost)} of "
                f"{len(low)} targets (first: {self.target_names_[lost[0]]}) vary by less than "
                f"float32 resolves in it: the table ranges from {low.min():.4g} to "
                f"{high.max():.4g}. Use target_scaling='minmax', or leave these targets out."
            )

    def _make_net(self, **options: Any) -> OmicsNet:
        """Return the net with one hidden layer."""
        return OmicsNet(
            module=get_generator("single-hidden"),
            module__n_hidden=self.n_hidden,
            module__output_sigmoid=self.output_sigmoid,
            module__init="glorot",
            criterion=RECONSTRUCTION_LOSSES["rmse"],
            source_scaling=self.source_scaling,
            target_scaling=self.target_scaling,
            probe_dropout=self.probe_dropout,
            **options,
        )
