"""OmiEmbedClassifier: classes of samples from a variational embedding of several omics."""

from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from scipy.special import softmax
from sklearn.base import ClassifierMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from omitrans.engine import (
    EmbeddingNet,
    Sizes,
    Training,
    count_weights,
    device_memory_errors,
    predict_profiles,
)
from omitrans.estimators._embedding_net import (
    check_embedding_params,
    check_unscaled,
    make_embedding_net,
)
from omitrans.estimators._forked import refuse_lost_threads
from omitrans.estimators._omics_blocks import find_blocks, order_by_group
from omitrans.estimators._presets import OMIEMBED_PRESETS, find_preset
from omitrans.estimators._trained_net import TrainedNetEstimator
from omitrans.model_selection._class_holdout import class_holdout
from omitrans.model_selection._folds import sample_groups
from omitrans.networks.autoencoders import OmicsBlock
from omitrans.utils._finite import check_finite_predictions
from omitrans.utils._sklearn import Interval, StrOptions, fit_context
from omitrans.utils._validation import check_paired_samples, check_source


class OmiEmbedClassifier(
    ClassNamePrefixFeaturesOutMixin, ClassifierMixin, TransformerMixin, TrainedNetEstimator
):
    """Classify samples from a variational embedding of one or several omics (OmiEmbed).

    A variational autoencoder learns to describe each sample by a short vector, its embedding, from
    which all values can be restored. A small network, the head, classifies the embedding. Training
    has three phases: the autoencoder alone, the head alone on a frozen embedding, and both
    together, so that the embedding separates the classes.

    Parameters
    ----------
    blocks : dict or None, default=None
        Columns of X of each kind of omics, by its name: a name, a list of names, positions, a
        slice, or a callable of X that returns one of these, as
        :class:`~sklearn.compose.ColumnTransformer` takes them. Each block has encoder layers of
        its own, and counts the same in the loss whatever its number of columns. Columns of no
        block are not used. None takes all columns as one block.
    column_groups : dict, Series or DataFrame, default=None
        Chromosome of each column by name, or a probe table with the columns ``probe_id`` and
        ``chromosome``. A block whose columns it names has a first layer of its own for each
        chromosome; blocks of which it names no column have one for all columns.
    hidden_layer_sizes : sequence of int, default=(512, 256, 256)
        Widths of the encoder: of the layers of each block, and last of the layer that merges the
        blocks. There are two at least. The decoder has them in reverse order.
    group_width : int, default=128
        Width of the first layer of each chromosome.
    latent_dim : int, default=128
        Number of elements of the embedding.
    head_layer_sizes : sequence of int, default=(128, 64)
        Widths of the hidden layers of the head; an empty one makes the head linear.
    dropout : float, default=0.2
        Share of the hidden features of the network that are set to zero in each training step.
    norm : {"batch", "sample", "none"}, default="batch"
        Normalisation of the hidden features. "batch" takes the statistics of the batch in training
        and running means in prediction; "sample" standardises each sample over its features.
    reconstruction_loss : {"mse", "cross-entropy"}, default="mse"
        Loss between decoded and given values. "cross-entropy" is for values in [0, 1].
    scaling : {"auto", "standard", "minmax", "none"}, default="auto"
        Scaling of each column, learned from the training samples. "standard" gives mean 0 and
        standard deviation 1, and clips values at 10 standard deviations. "minmax" gives the range
        0 to 1, and clips other values of new samples to it. "auto" takes "standard" for "mse", and
        "minmax" for "cross-entropy". With "none" and "cross-entropy" X must lie in [0, 1].
    kl_weight : float, default=0.01
        Weight in the loss of the autoencoder of the divergence of the latent vectors from a
        standard normal distribution.
    embedding_weight : float, default=0.001
        Weight of the loss of the autoencoder in the third phase, beside the classification.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the classification, by label. "balanced" gives all classes the
        same weight together, whatever their number of samples. None weighs all samples alike.
    lr : float, default=1e-3
        Learning rate of the optimizer.
    weight_decay : float, default=1e-4
        L2 penalty of the Adam optimizer.
    batch_size : int, default=32
        Number of samples per gradient step.
    embedding_epochs : int, default=20
        Number of epochs of the first phase, of the autoencoder alone.
    head_epochs : int, default=10
        Number of epochs of the second phase, of the head alone.
    max_epochs : int, default=200
        Largest number of passes over the training samples. It counts the epochs of all three
        phases; the third phase has what the others leave.
    decay_epochs : int, default=50
        Number of epochs, at the end of `max_epochs`, over which the learning rate falls linearly.
    early_stopping : bool, default=True
        Whether to set some samples aside for validation, to end training when the loss on them no
        longer falls, and to keep the weights with which it was lowest. The loss is that of the
        classification; the end of the second phase is the first candidate.
    validation_fraction : float, default=0.1
        Share of the samples that early stopping sets aside. All samples of a patient are set aside
        together; see `groups` of :meth:`fit`. It is a share of each class, and every class keeps
        training samples.
    n_iter_no_change : int, default=20
        Number of epochs without a better validation loss after which training ends.
    tol : float, default=1e-4
        A validation loss counts as better when it is lower than the best one so far by more than
        this share of it.
    restore_best : bool, default=True
        Whether to keep the weights of the epoch with the lowest validation loss.
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
    classes_ : ndarray of shape (n_classes,)
        The labels of the classes, sorted.
    blocks_ : dict of str to ndarray of int
        Positions in X of the columns of each block, sorted by chromosome where it is known.
    net_ : EmbeddingNet
        The trained skorch net. ``net_.module_`` is the network that predicts.
    history_ : DataFrame
        One row per epoch: losses of the training and validation samples (in scaled units), learning
        rate, and seconds. What a phase does not train is missing. While the head is trained alone,
        only its last epoch has a validation.
    n_iter_ : int
        Number of epochs that were run.
    best_epoch_ : int
        Epoch with the lowest validation loss. Only with early stopping.
    best_validation_loss_ : float
        The lowest validation loss. Only with early stopping.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of shape (n_columns,)
        Names of the columns of X seen in fit, if X is a frame.

    See Also
    --------
    omitrans.downstream.evaluate_classifier : Tests a classifier on predicted profiles.
    omitrans.metrics.classification_scores : Scores of predicted classes.

    Notes
    -----
    While the head is trained alone, dropout and batch statistics of the encoder are those of
    prediction. The authors' code leaves them on, so that running means go on changing.

    References
    ----------
    X. Zhang, Y. Xing, K. Sun and Y. Guo, "OmiEmbed: a unified multi-task deep learning framework
    for multi-omics data", Cancers 13, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans import OmiEmbedClassifier
    >>> rng = np.random.default_rng(0)
    >>> cancer = np.repeat(["BRCA", "LIHC"], 40)
    >>> expression = rng.normal(size=(80, 30)) + 2.0 * (cancer == "LIHC")[:, None]
    >>> classifier = OmiEmbedClassifier(
    ...     hidden_layer_sizes=(16, 8), latent_dim=4, lr=0.01, embedding_epochs=5, head_epochs=5,
    ...     max_epochs=20, decay_epochs=0, random_state=0,
    ... )
    >>> classifier.fit(expression[::2], cancer[::2]).score(expression[1::2], cancer[1::2])
    1.0
    >>> classifier.transform(expression).shape
    (80, 4)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **{
            name: rule
            for name, rule in TrainedNetEstimator._parameter_constraints.items()
            if name != "alpha"
        },
        "blocks": [dict, None],
        "column_groups": [dict, pd.Series, pd.DataFrame, None],
        "hidden_layer_sizes": ["array-like"],
        "group_width": [Interval(Integral, 1, None, closed="left")],
        "latent_dim": [Interval(Integral, 1, None, closed="left")],
        "head_layer_sizes": ["array-like"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "norm": [StrOptions({"batch", "sample", "none"})],
        "reconstruction_loss": [StrOptions({"mse", "cross-entropy"})],
        "scaling": [StrOptions({"auto", "standard", "minmax", "none"})],
        "kl_weight": [Interval(Real, 0, None, closed="left")],
        "embedding_weight": [Interval(Real, 0, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "embedding_epochs": [Interval(Integral, 0, None, closed="left")],
        "head_epochs": [Interval(Integral, 0, None, closed="left")],
        "restore_best": ["boolean"],
    }
    net_: EmbeddingNet

    def __init__(
        self,
        *,
        blocks: dict[str, Any] | None = None,
        column_groups: Any = None,
        hidden_layer_sizes: Sequence[int] = (512, 256, 256),
        group_width: int = 128,
        latent_dim: int = 128,
        head_layer_sizes: Sequence[int] = (128, 64),
        dropout: float = 0.2,
        norm: str = "batch",
        reconstruction_loss: str = "mse",
        scaling: str = "auto",
        kl_weight: float = 0.01,
        embedding_weight: float = 0.001,
        class_weight: dict[Any, float] | str | None = None,
        lr: float = 1e-3,
        weight_decay: float = 1e-4,
        batch_size: int = 32,
        embedding_epochs: int = 20,
        head_epochs: int = 10,
        max_epochs: int = 200,
        decay_epochs: int = 50,
        early_stopping: bool = True,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 20,
        tol: float = 1e-4,
        restore_best: bool = True,
        device: str | torch.device = "auto",
        precision: str = "auto",
        data_location: str = "auto",
        checkpoint_dir: str | Path | None = None,
        checkpoint_every: int = 50,
        resume: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.blocks = blocks
        self.column_groups = column_groups
        self.hidden_layer_sizes = hidden_layer_sizes
        self.group_width = group_width
        self.latent_dim = latent_dim
        self.head_layer_sizes = head_layer_sizes
        self.dropout = dropout
        self.norm = norm
        self.reconstruction_loss = reconstruction_loss
        self.scaling = scaling
        self.kl_weight = kl_weight
        self.embedding_weight = embedding_weight
        self.class_weight = class_weight
        self.lr = lr
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.embedding_epochs = embedding_epochs
        self.head_epochs = head_epochs
        self.max_epochs = max_epochs
        self.decay_epochs = decay_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.restore_best = restore_best
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
        """Return a classifier with published settings.

        Parameters
        ----------
        name : str
            Name of the preset. "paper" are the settings of the authors' code for one kind of
            omics, as for Table 3 of the OmiTrans paper, which gives none of its own.
            "repo-multi-omics" are those for expression beside methylation.
        **overrides
            Parameters that differ from the preset.

        Returns
        -------
        OmiEmbedClassifier
            A classifier that is not fitted yet.

        Raises
        ------
        UnknownNameError
            If there is no preset of this name. The message lists the known names.

        Examples
        --------
        >>> from omitrans import OmiEmbedClassifier
        >>> OmiEmbedClassifier.from_preset("paper", max_epochs=300).hidden_layer_sizes
        (1024, 1024, 512)
        """
        return cls(**(find_preset(OMIEMBED_PRESETS, name) | overrides))

    # --- fit ---

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike, groups: Any = "auto") -> Self:
        """Train on profiles and the classes of the same samples.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Profiles, such as log2(FPKM + 1) or beta values. No missing values.
        y : array-like or Series of shape (n_samples,)
            Class of each sample. If X and y are pandas objects, their indexes must be equal.
        groups : "auto", array-like of shape (n_samples,) or None, default="auto"
            The patient of each sample. Early stopping sets whole patients aside. "auto" reads the
            patients from sample ids of TCGA, TARGET or GTEx if some have several samples. None
            switches grouping off.

        Returns
        -------
        self
            The fitted classifier. After Ctrl-C it holds the weights learned so far, and a
            `TrainingInterrupted` warning is given; in the first phase Ctrl-C ends fit.

        Raises
        ------
        SampleMismatchError
            If X and y do not hold the same samples in the same order.
        FeatureMismatchError
            If column names are duplicated, or if `blocks` names a column that is absent, or one
            twice.
        DeviceMemoryError
            If memory runs out. The message gives sizes and remedies.
        TrainingDivergedError
            If a loss becomes NaN or infinite.
        ValueError
            If a parameter is out of range, if X holds missing or infinite values, if labels are
            missing or all the same, or if a block has no columns.
        """
        self._forget_net()
        check_embedding_params(self)
        source, codes = self._check_training_tables(X, y)
        found = find_blocks(X, self.blocks, source.shape[1])
        names = getattr(self, "feature_names_in_", None)
        self.blocks_, self._block_groups = order_by_group(found, self.column_groups, names)
        check_unscaled(self, source)
        self._n_features_out = self.latent_dim
        samples, n_validation, patients = None, 0, None
        if self.early_stopping:
            patients = sample_groups(X, groups)
            random = check_random_state(self.random_state)
            rows, held_out = class_holdout(codes, self.validation_fraction, patients, random)
            samples, n_validation = np.concatenate([rows, held_out]), len(held_out)
        self._train(
            source,
            codes[:, np.newaxis],
            groups=patients,
            samples=samples,
            n_validation=n_validation,
        )
        self.net_.trim_for_prediction()
        return self

    def _check_training_tables(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the validated table and the number of the class of each sample."""
        check_paired_samples(X, y, names=("X", "y"))
        _check_no_missing_labels(y)
        source, labels = check_source(self, X, reset=True, y=y, ensure_min_samples=2)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y holds one class only ({self.classes_[0]!r} in all {len(labels)} samples); a "
                "classifier needs samples of two classes at least. Check how y was made."
            )
        self._class_weights = None
        if self.class_weight is not None:
            weights = compute_class_weight(self.class_weight, classes=self.classes_, y=labels)
            self._class_weights = [float(w) for w in weights / weights[codes].mean()]
        return source, codes.astype(np.int64)

    def _training(self) -> Training:
        return Training.of(self, alpha=0.0)

    def _net_sizes(self) -> dict[str, Any]:
        blocks = [OmicsBlock(self.blocks_[name], self._block_groups[name]) for name in self.blocks_]
        return {
            "module__n_source": self.n_features_in_,
            "module__n_target": len(self.classes_),
            "module__blocks": blocks,
            "class_weights": self._class_weights,
        }

    def _make_net(self, **options: Any) -> EmbeddingNet:
        return make_embedding_net(self, **options)

    # --- predict ---

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the most probable class of each sample.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Profiles with the columns seen in fit.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.

        Raises
        ------
        FeatureMismatchError
            If columns are missing, unknown or in another order.
        """
        outputs = self._outputs(X)
        return self.classes_[outputs[:, self._n_features_out :].argmax(axis=1)]

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the probability of each class for each sample.

        A sample gets the same result alone and among others, to the last bit.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Profiles with the columns seen in fit.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of ``classes_``, in float32 if X is float32, else in float64.

        Raises
        ------
        FeatureMismatchError
            If columns are missing, unknown or in another order.
        """
        outputs = self._outputs(X)
        logits = outputs[:, self._n_features_out :].astype(np.float64)
        return softmax(logits, axis=1).astype(outputs.dtype, copy=False)

    def transform(self, X: ArrayLike) -> Any:
        """Return the embedding of each sample.

        A sample gets the same result alone and among others, to the last bit.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Profiles with the columns seen in fit.

        Returns
        -------
        ndarray or DataFrame of shape (n_samples, latent_dim)
            Means of the latent vectors, in float32 if X is float32, else in float64.

        Raises
        ------
        FeatureMismatchError
            If columns are missing, unknown or in another order.
        """
        return np.ascontiguousarray(self._outputs(X)[:, : self._n_features_out])

    def _outputs(self, X: Any) -> np.ndarray:
        """Return embeddings and logits side by side."""
        check_is_fitted(self, "net_")
        refuse_lost_threads()
        source = check_source(self, X, reset=False)
        sizes = Sizes(4 * source.size, count_weights(self.net_))
        with device_memory_errors(sizes, torch.device(self.net_.device)):
            outputs = predict_profiles(self.net_, source, source.dtype)
        return check_finite_predictions(self, outputs)


def _check_no_missing_labels(y: Any) -> None:
    """Raise an error if samples have no label."""
    if y is None:
        return  # scikit-learn says so
    missing = np.asarray(pd.isna(np.asarray(y, dtype=object)))
    if missing.any():
        raise ValueError(
            f"Input y contains NaN: {missing.sum()} of {len(missing)} samples have no class. Leave "
            "these samples out: X = X[y.notna()]; y = y[y.notna()]."
        )
