"""WGANGPGenerator: generation of expression by a conditional Wasserstein GAN."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from omitrans.covariates._columns import CovariateTable
from omitrans.covariates._expression_generator import ExpressionGeneratorMixin
from omitrans.engine import (
    PairedRows,
    Sizes,
    Training,
    WassersteinNet,
    calibrated,
    complement,
    count_weights,
    device_memory_errors,
    generate_profiles,
    moment_matching,
    value_range,
)
from omitrans.estimators._category_embedding import CategoryEmbeddingMixin
from omitrans.estimators._forked import refuse_lost_threads
from omitrans.estimators._gaussian_start import start_from_gaussian, start_sizes
from omitrans.estimators._presets import WGAN_PRESETS, find_preset
from omitrans.estimators._trained_net import TrainedNetEstimator, check_widths
from omitrans.estimators._wasserstein_net import make_wasserstein_net
from omitrans.model_selection._folds import sample_groups
from omitrans.utils._sklearn import Interval, StrOptions, fit_context

REFIT = "refit"  # tells the checkpoints of the training with all samples from others
_FLAGS = ["frozen_augmentation", "rescale", "clip", "shuffle", "restore_best", "refit"]


class WGANGPGenerator(CategoryEmbeddingMixin, ExpressionGeneratorMixin, TrainedNetEstimator):
    """Generate expression under given covariates with a Wasserstein GAN.

    A generator turns random numbers and the covariates of a sample, such as tissue, age and
    disease, into a profile of all genes. It is trained against a critic that tells real profiles
    from generated ones, and whose gradient is held near length 1 (WGAN-GP).

    Parameters
    ----------
    categorical_covariates, numeric_covariates : column specifier or "auto", default="auto"
        Columns of X that hold categories, and columns that hold numbers: a name, a list of names,
        positions, or a callable of X that returns one of these. "auto" takes text, categories and
        booleans as categories, and numbers as numeric; None takes no columns. Each of the v
        categories of a covariate becomes a learned vector of ⌊√v⌋ + 1 numbers, separately for the
        generator and the critic. Numbers are standardised, and a missing number is replaced by the
        mean.
    ignored_columns : column specifier, default=None
        Columns of X that are neither expression nor covariates, such as ids of donors.
    backbone : {"gaussian", None}, default="gaussian"
        What the generator starts from. "gaussian" starts from a Gaussian model of the training
        samples: means under the covariates, factors that move many genes together, and noise of
        each gene. All of it is trained further, together with a network that corrects it. Without a
        lower validation loss the Gaussian model stays. None starts from random weights, as
        published.
    n_factors : int, default=64
        Largest number of factors of the Gaussian model. There are half as many as samples at most.
        Only with ``backbone="gaussian"``.
    hidden_layer_sizes : sequence of int, default=(256, 256)
        Widths of the hidden layers of the generator and of the critic.
    noise_dim : int, default=64
        Number of random numbers that the network of the generator takes; those of the Gaussian
        model are taken in addition.
    scaling : {"standard", "none"}, default="standard"
        Scaling of the genes. "standard" standardises each gene over the training samples, and
        undoes it in the generated profiles.
    n_critic : int, default=5
        Number of steps of the critic for each step of the generator.
    gp_weight : float, default=10.0
        Weight λ of the gradient penalty.
    weight_averaging : float, default=0.99
        If positive, an exponential moving average of the generator's weights takes the place of the
        last weights in validation and sampling. It is the share of the average that is kept at each
        step, such as 0.999.
    augmentation : float, default=0.0
        Probability with which a sample gets normal noise on its real and generated profiles before
        the critic judges them.
    augmentation_sd : float, default=0.5
        Standard deviation of this noise, in scaled units.
    frozen_augmentation : bool, default=False
        Whether the samples that get noise (by their place in the batch) and the noise itself are
        drawn once for the whole training, as the authors' code does without saying so.
    rescale : bool, default=False
        Whether generated values of each gene are shifted and stretched to the mean and standard
        deviation of the training samples. The line is fixed in fit, on 1,000 generated profiles.
    clip : bool, default=False
        Whether generated values are clipped to the range of the gene over the training samples.
    optimizer : {"rmsprop", "adam"}, default="adam"
        Optimizer of both players. "rmsprop" keeps 0.9 of the mean squared gradients at each step,
        as Keras does; "adam" has the moments (0, 0.9) that were proposed with the gradient penalty.
    lr : float, default=3e-4
        Learning rate of the optimizer.
    critic_lr : float, default=5e-4
        Learning rate of the critic's optimizer. None takes the value of `lr`.
    batch_size : int, default=32
        Number of samples per gradient step.
    shuffle : bool, default=True
        Whether every epoch has the samples in a new random order. The authors' code leaves them in
        the order of the table in every epoch.
    max_epochs : int, default=500
        Largest number of passes over the training samples.
    decay_epochs : int, default=0
        Number of epochs, at the end of `max_epochs`, over which the learning rate falls linearly.
    early_stopping : bool, default=True
        Whether to set some samples aside for validation, to end training when the loss on them no
        longer falls, and to keep the weights with which it was lowest.
    validation_fraction : float, default=0.2
        Share of the samples that early stopping sets aside. All samples of a patient are set aside
        together; see `groups` of :meth:`fit`.
    validate_every : int, default=5
        Number of epochs between two validations. The last epoch of `max_epochs` has one too.
    validation_score : {"energy", "s_dist"}, default="energy"
        What is compared on validation samples, always with the same noise. "energy" is the energy
        score, which sees every difference between the distributions of real and generated profiles
        under the same covariates. "s_dist" is 1 - S_dist of the paper, which compares correlations
        between genes and does not see their means, so that training may end before the generator
        tells tissues apart. With fewer than 10 validation samples or 10 genes, where S_dist is
        mostly noise, "energy" takes its place.
    n_iter_no_change : int, default=50
        Number of epochs without a better validation loss after which training ends. It ends in an
        epoch with a validation.
    tol : float, default=1e-4
        A validation loss counts as better when it is lower than the best one so far by more than
        this share of it.
    restore_best : bool, default=True
        Whether to keep the weights of the epoch with the lowest validation loss.
    refit : bool, default=True
        Whether to train again on all samples, for as many epochs as early stopping found best. It
        is not done after Ctrl-C, or with `validation` of :meth:`fit`.
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
        This estimator draws noise in place of dropout and masks.
    verbose : int, default=0
        1 shows a progress bar with the losses and the time left.

    Attributes
    ----------
    net_ : WassersteinNet
        The trained skorch net. ``net_.module_`` is the network that predicts.
    history_ : DataFrame
        One row per epoch: losses of the training and validation samples (in scaled units), learning
        rate, and seconds. Of the
        training samples there are the losses of the critic without its penalty
        (``train_critic``), of the penalty without its weight (``train_critic_penalty``) and of the
        generator (``train_adversarial``), all at the last step of each batch. Validation gives
        ``valid_structure`` (1 - S_dist) or ``valid_energy``, which is missing in epochs without
        validation.
    n_iter_ : int
        Number of epochs that were run.
    best_epoch_ : int
        Epoch with the lowest validation loss. Only with early stopping.
    best_validation_loss_ : float
        The lowest validation loss. Only with early stopping.
    covariates_ : CovariateEncoder
        The fitted encoder, which knows the covariate columns, their categories and their scales.
    n_targets_ : int
        Number of targets.
    target_names_ : ndarray of shape (n_targets,)
        Names of the targets: the columns of y, or y0, y1, ... where y has no names.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of shape (n_columns,)
        Names of the columns of X seen in fit, if X is a frame.

    See Also
    --------
    PMIImputer : Fills missing expression of real samples.
    omitrans.covariates.CovariateEncoder : Encodes the covariates.

    Notes
    -----
    The genes of a constant value in fit are generated with this value.

    ``best_epoch_`` is 0 where no training lowered the validation loss of the Gaussian model.

    With `refit`, ``history_``, ``n_iter_`` and ``best_epoch_`` are those of the training with
    validation samples, and ``net_`` is that of the training with all samples.

    A category that all validation samples and no training samples have keeps its first, random
    vector. Give early stopping samples of its own (`validation` of :meth:`fit`) where categories
    are rare.

    References
    ----------
    R. Viñas, H. Andrés-Terré, P. Liò and K. Bryson, "Adversarial generation of gene expression
    data", Bioinformatics 38, 2022, equations 1-4 and section 4.2.
    I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin and A. Courville, "Improved training of
    Wasserstein GANs", NIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from omitrans import WGANGPGenerator
    >>> rng = np.random.default_rng(0)
    >>> covariates = pd.DataFrame({"tissue": ["Lung", "Liver"] * 40, "age": range(20, 100)})
    >>> expression = pd.DataFrame(rng.normal(5, 1, size=(80, 12)))
    >>> expression.columns = [f"gene{i}" for i in range(12)]
    >>> generator = WGANGPGenerator(hidden_layer_sizes=(16,), max_epochs=5, random_state=0)
    >>> generator.fit(covariates, expression).sample_y(covariates[:3], random_state=0).shape
    (3, 12)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **TrainedNetEstimator._parameter_constraints,
        **ExpressionGeneratorMixin._parameter_constraints,
        "backbone": [StrOptions({"gaussian"}), None],
        "n_factors": [Interval(Integral, 0, None, closed="left")],
        "hidden_layer_sizes": ["array-like"],
        "noise_dim": [Interval(Integral, 1, None, closed="left")],
        "scaling": [StrOptions({"none", "standard"})],
        "n_critic": [Interval(Integral, 1, None, closed="left")],
        "gp_weight": [Interval(Real, 0, None, closed="left")],
        "weight_averaging": [Interval(Real, 0, 1, closed="left")],
        "augmentation": [Interval(Real, 0, 1, closed="both")],
        "augmentation_sd": [Interval(Real, 0, None, closed="left")],
        "optimizer": [StrOptions({"rmsprop", "adam"})],
        "critic_lr": [Interval(Real, 0, None, closed="neither"), None],
        "validate_every": [Interval(Integral, 1, None, closed="left")],
        "validation_score": [StrOptions({"s_dist", "energy"})],
        **{name: ["boolean"] for name in _FLAGS},
    }
    net_: WassersteinNet

    def __init__(
        self,
        *,
        categorical_covariates: Any = "auto",
        numeric_covariates: Any = "auto",
        ignored_columns: Any = None,
        backbone: str | None = "gaussian",
        n_factors: int = 64,
        hidden_layer_sizes: Sequence[int] = (256, 256),
        noise_dim: int = 64,
        scaling: str = "standard",
        n_critic: int = 5,
        gp_weight: float = 10.0,
        weight_averaging: float = 0.99,
        augmentation: float = 0.0,
        augmentation_sd: float = 0.5,
        frozen_augmentation: bool = False,
        rescale: bool = False,
        clip: bool = False,
        optimizer: str = "adam",
        lr: float = 3e-4,
        critic_lr: float | None = 5e-4,
        batch_size: int = 32,
        shuffle: bool = True,
        max_epochs: int = 500,
        decay_epochs: int = 0,
        early_stopping: bool = True,
        validation_fraction: float = 0.2,
        validate_every: int = 5,
        validation_score: str = "energy",
        n_iter_no_change: int = 50,
        tol: float = 1e-4,
        restore_best: bool = True,
        refit: bool = True,
        device: str | torch.device = "auto",
        precision: str = "auto",
        data_location: str = "auto",
        checkpoint_dir: str | Path | None = None,
        checkpoint_every: int = 50,
        resume: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.categorical_covariates = categorical_covariates
        self.numeric_covariates = numeric_covariates
        self.ignored_columns = ignored_columns
        self.backbone = backbone
        self.n_factors = n_factors
        self.hidden_layer_sizes = hidden_layer_sizes
        self.noise_dim = noise_dim
        self.scaling = scaling
        self.n_critic = n_critic
        self.gp_weight = gp_weight
        self.weight_averaging = weight_averaging
        self.augmentation = augmentation
        self.augmentation_sd = augmentation_sd
        self.frozen_augmentation = frozen_augmentation
        self.rescale = rescale
        self.clip = clip
        self.optimizer = optimizer
        self.lr = lr
        self.critic_lr = critic_lr
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.max_epochs = max_epochs
        self.decay_epochs = decay_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.validate_every = validate_every
        self.validation_score = validation_score
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.restore_best = restore_best
        self.refit = refit
        self.device = device
        self.precision = precision
        self.data_location = data_location
        self.checkpoint_dir = checkpoint_dir
        self.checkpoint_every = checkpoint_every
        self.resume = resume
        self.random_state = random_state
        self.verbose = verbose

    @classmethod
    def from_preset(cls, name: str, **overrides: Any) -> Self:
        """Return a generator with published settings.

        Parameters
        ----------
        name : str
            Name of the preset. "paper-ecoli" and "paper-gtex-tcga" are the settings of the paper
            for 1,076 genes of E. coli and for 18,154 human genes; what it does not tell is as in
            the authors' code. "repo-ecoli" and "repo-gtex-tcga" do what this code really does,
            without its stopping on the test set, for which the test set is to be given as
            `validation` of :meth:`fit`.
        **overrides
            Parameters that differ from the preset.

        Returns
        -------
        WGANGPGenerator
            A generator that is not fitted yet.

        Raises
        ------
        UnknownNameError
            If there is no preset of this name. The message lists the known names.

        Examples
        --------
        >>> from omitrans import WGANGPGenerator
        >>> WGANGPGenerator.from_preset("paper-ecoli", max_epochs=10).hidden_layer_sizes
        (128, 128)
        """
        return cls(**(find_preset(WGAN_PRESETS, name) | overrides))

    # --- fit ---

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        groups: Any = "auto",
        validation: tuple[Any, Any] | None = None,
    ) -> Self:
        """Train on the covariates and the expression of the same samples.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            Covariates: one row per sample, one column per covariate.
        y : array-like or DataFrame of shape (n_samples, n_genes)
            Expression of the same samples in units of a logarithm, e.g. log2(TPM + 1).
        groups : "auto", array-like of shape (n_samples,) or None, default="auto"
            The donor, patient or replicate group of each sample. Early stopping sets whole groups
            aside. "auto" reads the donors or patients from sample ids of GTEx, TCGA or TARGET if
            some have several samples. None switches grouping off.
        validation : (covariates, expression), default=None
            Samples by which early stopping judges; none of the training samples are set aside then.
            They are copied, together with the training samples, into one table. Samples by which
            training was stopped cannot serve as a test any more.

        Returns
        -------
        self
            The fitted generator. After Ctrl-C it holds the weights learned so far, and a
            `TrainingInterrupted` warning is given.

        Raises
        ------
        FeatureMismatchError
            If a covariate is absent or listed twice, if column names are duplicated, or if
            `validation` has other genes.
        SampleMismatchError
            If X and y do not hold the same samples in the same order.
        DeviceMemoryError
            If memory runs out. The message gives sizes and remedies.
        TrainingDivergedError
            If a loss becomes NaN or infinite.
        ValueError
            If a parameter is out of range, if expression is missing or infinite, or if there are
            fewer than two samples.
        """
        self._forget_net()
        self._check_network_params()
        table, expression = self._check_tables(X, y)
        covariates = self.covariates_.encode(table)
        self._n_categories = tuple(len(known) for known in self.covariates_.categories_)
        self._n_covariates = covariates.shape[1]
        self._dtype_name = expression.dtype.name
        low, high = expression.min(axis=0), expression.max(axis=0)
        self._constant_genes = np.flatnonzero(low == high)
        self._constants = low[self._constant_genes]
        n_validation = 0
        if validation is not None:
            others = self._check_validation(validation)
            n_validation = len(others[1])
            covariates = np.concatenate([covariates, others[0]])
            expression = np.concatenate([expression, others[1].astype(expression.dtype)])
        self._start_sizes = start_sizes(covariates, len(self._n_categories), self.n_factors)
        uses_groups = self.early_stopping or self.backbone is not None
        groups = sample_groups(X, groups) if uses_groups and not n_validation else None
        start = None if self.backbone is None else partial(start_from_gaussian, groups)
        self._train(
            covariates,
            expression,
            groups=groups if self.early_stopping else None,
            n_validation=n_validation,
            start=start,
            finish=self._finish,
        )
        if self.refit and self.early_stopping and not (n_validation or self.net_.interrupted_):
            self._train_on_all(covariates, expression, start)
        self.net_.trim_for_prediction()
        return self

    def _train_on_all(self, covariates: np.ndarray, expression: np.ndarray, start: Any) -> None:
        """Train again on all samples; what is known of the first training stays."""
        history, n_iter = self.history_, self.n_iter_
        file = self._checkpoint_file(covariates, expression, None, REFIT)
        training = replace(
            self._training(),
            early_stopping=False,
            max_epochs=self.best_epoch_,
            decay_epochs=0,
            resume=self.resume and file is not None and file.exists(),
            title="with all samples",
        )
        self._train(
            covariates,
            expression,
            groups=None,
            pretrained=REFIT,
            start=start,
            finish=self._finish,
            training=training,
        )
        self.history_, self.n_iter_ = history, n_iter

    def _check_network_params(self) -> None:
        check_widths(self, at_least=1)
        if self.early_stopping and self.n_iter_no_change < self.validate_every:
            raise ValueError(
                f"n_iter_no_change={self.n_iter_no_change} epochs end before the second of the "
                f"validations, which come every validate_every={self.validate_every} epochs. Raise "
                "n_iter_no_change or lower validate_every."
            )

    def _check_validation(self, validation: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the encoded covariates and the expression of given validation samples."""
        if not self.early_stopping:
            raise ValueError("validation= is for early stopping. Set early_stopping=True.")
        if not isinstance(validation, tuple | list) or len(validation) != 2:
            raise ValueError(
                "validation must be a pair, (covariates, expression). Got "
                f"{type(validation).__name__} instead."
            )
        table, expression = self._check_more_tables(*validation, name="validation")
        return self.covariates_.encode(table), expression

    def _training(self) -> Training:
        return Training.of(self, alpha=0.0)

    def _net_sizes(self) -> dict[str, Any]:
        return {
            "module__n_source": self._n_covariates,
            "module__n_target": self.n_targets_,
            "module__n_categories": self._n_categories,
            **{f"module__{name}": size for name, size in self._start_sizes.items()},
        }

    def _make_net(self, **options: Any) -> WassersteinNet:
        return make_wasserstein_net(self, **options)

    def _finish(self, net: WassersteinNet, held_out: PairedRows) -> None:
        """Learn on the training rows what follows the network: rescaling and clipping."""
        rows = held_out if net.train_split is None else complement(held_out)
        self._line = moment_matching(net, rows) if self.rescale else None
        self._range = value_range(rows) if self.clip else None

    # --- sampling ---

    def _draw(self, table: CovariateTable, random: np.random.Generator) -> np.ndarray:
        """Return one generated profile for each row of the covariates."""
        check_is_fitted(self, "net_")
        refuse_lost_threads()
        covariates = self.covariates_.encode(table)
        sizes = Sizes(4 * len(covariates) * self.n_targets_, count_weights(self.net_))
        with device_memory_errors(sizes, torch.device(self.net_.device)):
            values = generate_profiles(self.net_, covariates, random, np.dtype(self._dtype_name))
        values = calibrated(values, self._line, self._range)
        values[:, self._constant_genes] = self._constants
        return values
