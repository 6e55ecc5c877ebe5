"""PMIImputer: imputation of expression by a network that is trained on pseudo-missing values."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from omitrans.engine import MaskedNet
from omitrans.estimators._imputer import TorchImputer
from omitrans.estimators._presets import PMI_PRESETS, find_preset
from omitrans.losses import masked_mse_loss
from omitrans.networks.imputers import MaskedMLP


class PMIImputer(TorchImputer):
    """Fill missing expression with the Pseudo-Mask Imputer.

    A network sees a random part of the observed values of a sample, the mask of these values and
    the covariates of the sample. It is trained to predict the observed values that it does not
    see. It is trained once, on a complete table (inductive imputation) or on a table with missing
    values (in-place imputation), and then imputes any sample.

    Parameters
    ----------
    categorical_covariates, numeric_covariates : column specifier, default=None
        Columns of X that are covariates, not expression: a name, a list of names, positions, or a
        callable of X that returns one of these, as :class:`~sklearn.compose.ColumnTransformer`
        takes them. Each of the v categories of a covariate becomes a learned vector of ⌊√v⌋ + 1
        numbers. A category that was not seen in fit gets the mean of these vectors, with a
        warning. Numbers are standardised, and a missing number is replaced by the mean.
    ignored_columns : column specifier, default=None
        Columns of X that are neither expression nor covariates, such as ids of donors.
    hidden_layer_sizes : sequence of int, default=(1024,)
        Widths of the hidden layers.
    dropout : float, default=0.4
        Share of the hidden features of the network that are set to zero in each training step.
    norm : {"batch", "sample", "none"}, default="sample"
        Normalisation of the hidden features. "batch" is batch normalisation, as published;
        "sample" normalises within each sample; "none" does not normalise.
    observed_rate : tuple of float, default=(0.1, 0.9)
        Bounds α ≤ β of the share of a sample's observed values that the network is shown. A new
        share is drawn for every sample in every batch.
    scaling : {"standard", "none"}, default="standard"
        Scaling of the genes. "standard" standardises each gene over the observed training values,
        and undoes it in the filled values.
    lr : float, default=5e-4
        Learning rate of the optimizer.
    alpha : float, default=0.0
        Strength of the L2 penalty on the weights of the network. Its unit grows with the size of
        the tables: a value of about 1 just holds back what the network could fit to pure noise in
        standardised targets, so that one value serves tables of all sizes. 0 switches the penalty
        off.
    batch_size : int, default=32
        Number of samples per gradient step.
    max_epochs : int, default=500
        Largest number of passes over the training samples.
    decay_epochs : int, default=0
        Number of epochs, at the end of `max_epochs`, over which the learning rate falls linearly.
    early_stopping : bool, default=True
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
    restore_best : bool, default=True
        Whether to keep the weights of the epoch with the lowest validation loss. The authors' code
        keeps the last ones.
    add_indicator : bool, default=False
        Whether :meth:`transform` appends columns that mark which values were missing, for genes
        with missing values in `fit`.
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
    net_ : MaskedNet
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
    residual_sd_ : ndarray of shape (n_genes,)
        Root mean squared error of each gene at hidden observed values, with half of the values
        shown. It is measured on validation samples (on training samples without early stopping).
    covariates_ : CovariateEncoder
        The fitted encoder, which knows the covariate columns, their categories and their scales.
    indicator_ : MissingIndicator or None
        Marks missing values. None without `add_indicator`.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of shape (n_columns,)
        Names of the columns of X seen in fit, if X is a frame.

    See Also
    --------
    GAINImputer : A similar network, trained to reproduce the values that it sees.
    omitrans.baselines.SVDImputer : Imputation by a low-rank approximation.
    omitrans.comparison.compare_imputers : Compare imputers at known values.

    Notes
    -----
    A sample without observed values is imputed from its covariates alone. X may also be complete,
    in fit and in :meth:`transform`. The wide default of `observed_rate` prepares the network for
    samples with few or with many missing values. With the published (0.5, 0.5), samples with nine
    tenths of their values missing are imputed much worse, and samples with half of their values
    missing hardly better.

    An epoch is a pass over the samples. The authors' code counts 100 batches of 32 as an epoch.

    References
    ----------
    R. Viñas, T. Azevedo, E. R. Gamazon and P. Liò, "Deep learning enables fast and accurate
    imputation of gene expression", Frontiers in Genetics 12, 2021, equations 1-7, Algorithm 1 and
    section 3.4.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from omitrans import PMIImputer
    >>> rng = np.random.default_rng(0)
    >>> programme = rng.normal(size=(60, 1))
    >>> X = pd.DataFrame(programme + rng.normal(scale=0.3, size=(60, 8)))
    >>> X.columns = [f"gene{i}" for i in range(8)]
    >>> X["tissue"] = ["Lung", "Liver"] * 30
    >>> holes = X.iloc[50:].copy()
    >>> holes.iloc[:, :3] = np.nan
    >>> imputer = PMIImputer(categorical_covariates=["tissue"], max_epochs=60, random_state=0)
    >>> filled = imputer.set_output(transform="pandas").fit(X[:50]).transform(holes)
    >>> filled.shape, int(filled.isna().sum().sum())
    ((10, 8), 0)
    """

    _parameter_constraints: dict[str, list[Any]] = {**TorchImputer._parameter_constraints}

    def __init__(
        self,
        *,
        categorical_covariates: Any = None,
        numeric_covariates: Any = None,
        ignored_columns: Any = None,
        hidden_layer_sizes: Sequence[int] = (1024,),
        dropout: float = 0.4,
        norm: str = "sample",
        observed_rate: tuple[float, float] = (0.1, 0.9),
        scaling: str = "standard",
        lr: float = 5e-4,
        alpha: float = 0.0,
        batch_size: int = 32,
        max_epochs: int = 500,
        decay_epochs: int = 0,
        early_stopping: bool = True,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 30,
        tol: float = 1e-4,
        restore_best: bool = True,
        add_indicator: bool = False,
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dropout = dropout
        self.norm = norm
        self.observed_rate = observed_rate
        self.scaling = scaling
        self.lr = lr
        self.alpha = alpha
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.decay_epochs = decay_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.restore_best = restore_best
        self.add_indicator = add_indicator
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
        """Return an imputer with published settings.

        Parameters
        ----------
        name : str
            Name of the preset. "paper-inductive" and "paper-in-place" are the settings for 12,557
            protein-coding genes in the two scenarios of the paper. "paper-inductive-pathway" and
            "paper-in-place-pathway" are the settings for 273 genes. "code-in-place" and
            "code-in-place-pathway" have the `observed_rate` that the authors' code really uses,
            because it never reads β.
        **overrides
            Parameters that differ from the preset.

        Returns
        -------
        PMIImputer
            An imputer that is not fitted yet.

        Raises
        ------
        UnknownNameError
            If there is no preset of this name. The message lists the known names.

        Examples
        --------
        >>> from omitrans import PMIImputer
        >>> PMIImputer.from_preset("paper-inductive", max_epochs=10).hidden_layer_sizes
        (3072,)
        """
        return cls(**(find_preset(PMI_PRESETS, name) | overrides))

    def _make_net(self, **options: Any) -> MaskedNet:
        """Return the net that is trained on pseudo-missing values."""
        return MaskedNet(MaskedMLP, criterion=masked_mse_loss, **self._network_options(), **options)
