"""OmiTransRegressor: a conditional GAN that translates one omics profile into another."""

from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import nn

from omitrans.engine import SCALINGS, AdversarialNet, OmicsNet, Training
from omitrans.estimators._column_groups import check_noise_has_no_groups, group_widths
from omitrans.estimators._ensemble import fit_ensemble
from omitrans.estimators._mixture import check_deviation, mixed_prediction
from omitrans.estimators._presets import OMITRANS_PRESETS, find_preset
from omitrans.estimators._regressor import TorchRegressor
from omitrans.estimators._trained_net import check_widths, network_params
from omitrans.losses import ADVERSARIAL_LOSSES, OUTPUT_LINKS, RECONSTRUCTION_LOSSES
from omitrans.networks import get_discriminator, get_generator
from omitrans.utils._sklearn import HasMethods, Interval, StrOptions

ADAM_BETAS = (0.5, 0.999)  # from the authors' code; the paper does not give them
# What "auto" stands for, without and with a backbone.
_ALONE = {"lr": 2e-4, "n_iter_no_change": 30}
_BESIDE_BACKBONE = {"lr": 1e-3, "n_iter_no_change": 10}
# Parameters that a network does not depend on, and attributes of models with a backbone.
_OF_THE_WHOLE = ("backbone", "speed", "n_networks")
_LEARNED = ("backbone_", "network_share_", "networks_")
_OF_TRAINING = ("history_", "n_iter_", "best_epoch_", "best_validation_loss_", "_optimizer_moments")


class OmiTransRegressor(TorchRegressor):
    """Predict one omics profile from another by a kernel model and adversarial networks.

    A backbone predicts a target profile (such as gene expression) from a source profile (such as
    DNA methylation). By default it is a ridge regression on a mixture of kernels,
    :class:`~omitrans.baselines.MultiKernelRidgeRegressor`. Beside it, an ensemble of conditional
    GANs is trained, each without one fold of the samples. Predictions of these held-out samples
    show how far it pays to move from the backbone towards the networks: that is the share of the
    networks in the prediction of each target. Where networks earn nothing, the backbone predicts
    alone.

    In a conditional GAN, a generator maps source profiles to target profiles. It is trained to
    deceive a discriminator of real and generated pairs, and to predict profiles close to the real
    targets. Its loss is the adversarial loss plus `reconstruction_weight` times the reconstruction
    loss (equation 6 of [1]_). ``backbone=None`` leaves one such network alone, as published;
    :meth:`from_preset` gives the published settings.

    On most cohorts the backbone does nearly all of the work. ``speed="fast"`` fits it alone, in
    seconds.

    Parameters
    ----------
    generator : str or type, default="fc"
        Network that predicts: a name from :func:`omitrans.networks.list_generators`, or a
        :class:`torch.nn.Module` class that is called as
        ``generator(n_source, n_target, **params)``.
    discriminator : str or type, default="fc"
        Network that judges pairs: a name from :func:`omitrans.networks.list_discriminators`, or a
        class that is called as ``discriminator(n_target, n_source, **params)``.
    backbone : "multi-kernel", regressor or None, default="multi-kernel"
        Regressor that networks stand beside. "multi-kernel" takes
        :class:`~omitrans.baselines.MultiKernelRidgeRegressor`. Any other regressor that predicts
        several targets is cloned; its method ``fit_cross_predict(X, y, folds)`` is used if it has
        one, and otherwise it is fitted once on all samples and once on each fold. If it rounds a
        sample alone otherwise than in a batch, so does the model. None trains one network alone, on
        all samples.
    speed : {"full", "fast"}, default="full"
        "fast" fits the backbone alone and trains no network.
    n_networks : int, default=5
        Number of networks beside the backbone, at least 2. Each is trained without one of as many
        folds. There are no more than groups of samples, and no networks at all with fewer than
        10 samples or 3 groups, which are too few to judge them. If the first network earns a share
        below 0.05 on its fold, no other is trained, and the share is 0. Only with a backbone.
    hidden_layer_sizes : sequence of int, default=()
        Widths of the hidden layers of the generator's encoder; the decoder has them in reverse
        order. If it is empty, the bottleneck is the only hidden layer.
    latent_dim : int, default=256
        Width of the bottleneck of the generator.
    dropout : float, default=0.5
        Share of the hidden features of the network that are set to zero in each training step.
    norm : {"none", "sample"}, default="none"
        "sample" standardises each sample over its hidden features, as the published networks do.
        "none" does not normalise.
    generator_params : dict, default=None
        Further arguments of the generator.
    discriminator_params : dict, default=None
        Arguments of the discriminator.
    column_groups : sequence of int, dict, Series or DataFrame, default=None
        Groups of neighbouring columns of X, for the "chromosome-" networks: the number of columns
        in each group, the group of every column by name, or a probe table with the columns
        ``probe_id`` and ``chromosome``. The columns of a group must be neighbours, as
        :class:`~omitrans.preprocessing.LocationAligner` arranges them. None takes all columns as
        one group. Chromosome Y is a group too.
    noise_dim : int, default=0
        Number of standard normal numbers z that the generator reads behind the source features:
        the noise of the paper's G(x, z). Training draws them anew for each sample in each batch;
        `predict` sets them to 0, and `sample_y` draws them. A generator may learn to ignore them,
        and does so the more, the larger `reconstruction_weight` is. 0 gives a generator without
        noise, as the authors' code has it. It cannot be combined with `column_groups`.
    adversarial_loss : {"vanilla", "least-squares"} or None, default="vanilla"
        Adversarial loss: "vanilla" is the cross-entropy of real against generated pairs,
        "least-squares" the squared distance of the logits from 1 or 0. None trains the generator
        alone, as an ordinary regression.
    reconstruction_loss : {"l1", "mse", "rmse", "cross-entropy"}, default="mse"
        Distance between generated and real targets. "rmse" takes one root for a whole batch.
        "cross-entropy" needs targets in [0, 1], which ``target_scaling="minmax"`` gives.
    reconstruction_weight : float, default=100.0
        Weight λ of the reconstruction loss. 0 gives the plain conditional GAN.
    source_scaling, target_scaling : {"none", "standard", "minmax", "range"}, default="standard"
        Scaling of the features, learned on the training samples; predictions are returned in the
        units of Y. "standard" scales each feature to mean 0 and standard deviation 1, "minmax"
        scales each feature to [0, 1], and "range" scales the whole table to [0, 1].
    lr : float or "auto", default="auto"
        Learning rate of the optimizer. "auto" takes 1e-3 for networks beside a backbone, and
        2e-4 for a network alone.
    discriminator_lr : float, default=None
        Learning rate of the discriminator's Adam optimizer. None takes the value of `lr`.
    alpha : float, default=0.5
        Strength of the L2 penalty on the weights of the network. Its unit grows with the size of
        the tables: a value of about 1 just holds back what the network could fit to pure noise in
        standardised targets, so that one value serves tables of all sizes. 0 switches the penalty
        off.
    batch_size : int, default=64
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
    n_iter_no_change : int or "auto", default="auto"
        Number of epochs without a better validation loss after which training ends. "auto" takes
        10 for networks beside a backbone, and 30 for a network alone.
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
    pretrained : OmiTransRegressor, str or pathlib.Path, default=None
        A fitted model of the same class, or the path of a saved one, whose weights training starts
        from. Features are matched by name, as in :meth:`fine_tune`. Cloning shares the model, so
        that this parameter works in a Pipeline and in GridSearchCV. It is needed in `fit` only.
        Each network starts from the network of the same number, while the backbone is fitted anew.
        The model must come from other samples, because a network that has seen the samples of a
        fold cannot be judged by them.
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
        Folder for checkpoints; it needs an integer `random_state`. None writes no checkpoints. Each
        network has a file of its own.
    checkpoint_every : int, default=50
        Number of epochs between two checkpoints.
    resume : bool, default=False
        Whether to go on from a checkpoint in `checkpoint_dir` that was made with the same
        parameters on the same data, if there is one. The result is that of a training without
        interruption.
    random_state : int, RandomState instance or None, default=None
        Seed of everything that training draws: initial weights, dropout, masks, validation samples
        and the order of batches. The global generators of NumPy and torch are left as they are. The
        folds of the networks are drawn too. A backbone that draws has a `random_state` of its own.
    verbose : int, default=0
        1 shows a progress bar with the losses and the time left. Each network has its own bar.

    Attributes
    ----------
    backbone_ : regressor
        The backbone, fitted on all samples. Only with a backbone. The default backbone keeps the
        training samples, without a copy of a table of floats, which must not be changed in place.
    networks_ : list of AdversarialNet or OmicsNet
        The trained skorch nets; only the first if the share is 0 for all targets, and none if none
        was trained. Only with a backbone.
    network_share_ : ndarray of shape (n_targets,)
        Share of the networks in the prediction of each target, between 0 and 1. Only with a
        backbone.
    net_ : AdversarialNet or OmicsNet
        The trained skorch net. ``net_.module_`` is the network that predicts. With a backbone it is
        the first of `networks_`, and missing if there is none.
    history_ : DataFrame
        One row per epoch: losses of the training and validation samples (in scaled units), learning
        rate, and seconds. With a backbone, the column ``network`` numbers the networks from 1. The
        table is missing if no network was trained, like the next three attributes.
    n_iter_ : int
        Number of epochs that were run. With a backbone, those of all networks together.
    best_epoch_ : int, or ndarray of shape (n_trained_networks,)
        Epoch with the lowest validation loss. Only with early stopping. With a backbone, that of
        each network.
    best_validation_loss_ : float, or ndarray of shape (n_trained_networks,)
        The lowest validation loss. Only with early stopping. With a backbone, that of each network.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of X seen in fit, if X is a frame.
    n_shared_features_, n_shared_targets_ : int
        Number of source and target features that were matched with those of `pretrained`. Only with
        `pretrained`.
    n_targets_ : int
        Number of targets.
    target_names_ : ndarray of shape (n_targets,)
        Names of the targets: the columns of y, or y0, y1, ... where y has no names.

    See Also
    --------
    omitrans.baselines.MultiKernelRidgeRegressor : The default backbone.
    omitrans.predict_frame : Predict with sample and target names.
    omitrans.pipelines.make_translation_pipeline : Put the paper's preprocessing before a model.

    Notes
    -----
    A prediction is ``backbone + share * (mean of the networks - backbone)``. On held-out samples
    let ``d`` be the distance from the backbone to the network that did not see them, and ``r`` that
    from the backbone to the truth, both in standard deviations of the target. One share for all
    targets is ``w = sum(d * r) / sum(d * d)``, times ``1 - v / w**2``, where ``v`` is the variance
    of ``w`` between folds, divided by their number. The share of a target is
    ``(sum(d * r) + k * w) / (sum(d * d) + k)`` over its own samples, where ``k`` is three times the
    mean of ``sum(d * d)``. Shares are clipped to [0, 1]; all are 0 if ``w`` is not above 0. The
    networks are judged one by one, while their mean predicts, which errs less than they do on
    average.

    The paper writes G(x, z) with noise z. The only noise in the authors' code is dropout, and the
    same holds for this class unless `noise_dim` is above 0. The code calls its normalisation "batch
    normalisation", but it standardises each sample over its hidden features, so the result of a
    sample does not depend on other samples.

    References
    ----------
    .. [1] X. Zhang and Y. Guo, "OmiTrans: generative adversarial networks based omics-to-omics
       translation framework", equations 1-6, Figures 1-3, Table 2.

    Examples
    --------
    >>> from omitrans import OmiTransRegressor
    >>> from omitrans.datasets import make_paired_omics
    >>> data = make_paired_omics(n_samples=80, n_probes=200, n_genes=30, random_state=0)
    >>> X = data.X.fillna(data.X.mean())
    >>> patients = data.samples["patient"]
    >>> model = OmiTransRegressor(max_epochs=5, random_state=0)
    >>> model = model.fit(X[:60], data.Y[:60], groups=patients[:60])
    >>> model.predict(X[60:]).shape
    (20, 30)
    >>> model.network_share_.shape
    (30,)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **TorchRegressor._parameter_constraints,
        "backbone": [StrOptions({"multi-kernel"}), HasMethods(["fit", "predict"]), None],
        "speed": [StrOptions({"full", "fast"})],
        "n_networks": [Interval(Integral, 2, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "generator": [str, type],
        "discriminator": [str, type],
        "hidden_layer_sizes": ["array-like"],
        "latent_dim": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "norm": [StrOptions({"none", "sample"})],
        "generator_params": [dict, None],
        "discriminator_params": [dict, None],
        "column_groups": ["array-like", dict, None],
        "noise_dim": [Interval(Integral, 0, None, closed="left")],
        "adversarial_loss": [StrOptions(set(ADVERSARIAL_LOSSES)), None],
        "reconstruction_loss": [StrOptions(set(RECONSTRUCTION_LOSSES))],
        "reconstruction_weight": [Interval(Real, 0, None, closed="left")],
        "source_scaling": [StrOptions(set(SCALINGS))],
        "target_scaling": [StrOptions(set(SCALINGS))],
        "discriminator_lr": [Interval(Real, 0, None, closed="neither"), None],
    }

    _earlier_values = {"backbone": None}

    def __init__(
        self,
        generator: str | type[nn.Module] = "fc",
        discriminator: str | type[nn.Module] = "fc",
        *,
        backbone: Any = "multi-kernel",
        speed: str = "full",
        n_networks: int = 5,
        hidden_layer_sizes: Sequence[int] = (),
        latent_dim: int = 256,
        dropout: float = 0.5,
        norm: str = "none",
        generator_params: dict[str, Any] | None = None,
        discriminator_params: dict[str, Any] | None = None,
        column_groups: Any = None,
        noise_dim: int = 0,
        adversarial_loss: str | None = "vanilla",
        reconstruction_loss: str = "mse",
        reconstruction_weight: float = 100.0,
        source_scaling: str = "standard",
        target_scaling: str = "standard",
        lr: float | str = "auto",
        discriminator_lr: float | None = None,
        alpha: float = 0.5,
        batch_size: int = 64,
        max_epochs: int = 500,
        decay_epochs: int = 0,
        early_stopping: bool = True,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | str = "auto",
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
        self.generator = generator
        self.discriminator = discriminator
        self.backbone = backbone
        self.speed = speed
        self.n_networks = n_networks
        self.hidden_layer_sizes = hidden_layer_sizes
        self.latent_dim = latent_dim
        self.dropout = dropout
        self.norm = norm
        self.generator_params = generator_params
        self.discriminator_params = discriminator_params
        self.column_groups = column_groups
        self.noise_dim = noise_dim
        self.adversarial_loss = adversarial_loss
        self.reconstruction_loss = reconstruction_loss
        self.reconstruction_weight = reconstruction_weight
        self.source_scaling = source_scaling
        self.target_scaling = target_scaling
        self.lr = lr
        self.discriminator_lr = discriminator_lr
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

    @classmethod
    def from_preset(cls, name: str, **overrides: Any) -> Self:
        """Return a regressor with published settings: one network, without a backbone.

        Parameters
        ----------
        name : {"paper-fc", "paper-cnn", "paper-cgan", "repo-default"}
            Name of the preset. "paper-fc" is Table 2 of the paper (bottleneck of 256 units,
            learning rates 1e-4, 128 samples per batch, 800 epochs with a decay over the last 100,
            dropout 0.2), with the L1 loss and λ = 100 of the authors' code. For the 39,464 probes
            and 60,483 genes of the paper it has 422 million weights. "paper-cnn" is "paper-fc"
            with the U-Net of Figure 4 and the discriminator of Figure 5. "paper-cgan" is
            "paper-fc" with λ = 0, the conditional GAN of the paper. "repo-default" has the default
            settings of the authors' code: one block per chromosome (see `column_groups`), a
            discriminator with normalised logits, 4 samples per batch, learning rates 2e-4, 100
            epochs and no dropout.
        **overrides
            Parameters that differ from the preset.

        Returns
        -------
        OmiTransRegressor
            A regressor that is not fitted yet.

        Raises
        ------
        UnknownNameError
            If there is no preset of this name. The message lists the known names.

        Examples
        --------
        >>> from omitrans import OmiTransRegressor
        >>> OmiTransRegressor.from_preset("paper-fc", max_epochs=10, decay_epochs=0).batch_size
        128
        """
        return cls(**(find_preset(OMITRANS_PRESETS, name) | overrides))

    def _check_training_tables(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        if self.adversarial_loss is None and self.reconstruction_weight == 0:
            raise ValueError(
                "adversarial_loss=None with reconstruction_weight=0 leaves nothing to learn from. "
                "Set one of them."
            )
        check_widths(self)
        check_noise_has_no_groups(self)
        source, target = super()._check_training_tables(X, y)
        if self.reconstruction_loss == "cross-entropy" and self.target_scaling != "minmax":
            low, high = target.min(), target.max()
            if self.target_scaling == "standard" or low < 0 or high > 1:
                raise ValueError(
                    "reconstruction_loss='cross-entropy' needs targets in [0, 1]; Y ranges from "
                    f"{low:.4g} to {high:.4g} with target_scaling={self.target_scaling!r}. Use "
                    "target_scaling='minmax'."
                )
        return source, target

    # --- the backbone, and networks beside it ---

    def _learn(
        self, X: Any, y: Any, source: np.ndarray, target: np.ndarray, groups: Any, pretrained: Any
    ) -> None:
        if self.backbone is None:
            if self.speed == "fast":
                raise ValueError(
                    "speed='fast' fits the backbone alone, and backbone=None leaves the network "
                    "alone: nothing is left to fit. Use speed='full', or give a backbone."
                )
            super()._learn(X, y, source, target, groups, pretrained)
        else:
            fit_ensemble(self, X, y, source, target, groups, pretrained)

    def _forget_net(self) -> None:
        super()._forget_net()
        alone = self.backbone is None and not hasattr(self, "backbone_")
        for name in _LEARNED if alone else (*_LEARNED, *_OF_TRAINING):
            self.__dict__.pop(name, None)

    def _check_is_fitted(self) -> None:
        check_is_fitted(self, ["net_", "backbone_"], all_or_any=any)

    def _check_deviation(self) -> None:
        if hasattr(self, "backbone_"):
            check_deviation(self)
        else:
            super()._check_deviation()

    def _predict(
        self, X: Any, source: np.ndarray, n_draws: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        if hasattr(self, "backbone_"):
            return mixed_prediction(self, X, source, n_draws)
        return super()._predict(X, source, n_draws)

    # --- the network ---

    def _training(self) -> Training:
        return Training.of(self, **self._numbers())

    def _numbers(self) -> dict[str, Any]:
        """Return the values that "auto" stands for, or else those given."""
        auto = _ALONE if self.backbone is None else _BESIDE_BACKBONE
        given = {name: getattr(self, name) for name in auto}
        return {name: auto[name] if value == "auto" else value for name, value in given.items()}

    def _params_of_checkpoints(self) -> dict[str, Any]:
        """Leave out what has no effect on a network alone, whose checkpoints may be older."""
        params = super()._params_of_checkpoints() | self._numbers()
        ignored = [] if self.noise_dim else ["noise_dim"]
        ignored += _OF_THE_WHOLE if self.backbone is None else ()
        return {name: value for name, value in params.items() if name not in ignored}

    def _group_widths(self, n_columns: int) -> tuple[int, ...] | None:
        return group_widths(self.column_groups, getattr(self, "feature_names_in_", None), n_columns)

    def _resolved_params(self) -> dict[str, Any]:
        """Replace what a saved model needs no more: the groups, "auto" and the backbone."""
        widths = self._group_widths(self.n_features_in_)
        numbers = self._numbers()
        return super()._resolved_params() | {"column_groups": widths, "backbone": None} | numbers

    def _make_net(self, **options: Any) -> OmicsNet:
        """Return the generator's net, with a discriminator if there is an adversarial loss."""
        generator = self.generator
        if isinstance(generator, str):
            generator = get_generator(generator)
        groups = self._group_widths(options["module__n_source"])
        shared = {
            "hidden_layer_sizes": tuple(self.hidden_layer_sizes),
            "latent_dim": self.latent_dim,
            "dropout": self.dropout,
            "norm": self.norm,
            "groups": groups,
        }
        params = network_params(generator, shared, self.generator_params)
        options.update({f"module__{name}": value for name, value in params.items()})
        options.update(
            module=generator,
            criterion=RECONSTRUCTION_LOSSES[self.reconstruction_loss],
            reconstruction_weight=self.reconstruction_weight,
            link=OUTPUT_LINKS.get(self.reconstruction_loss),
            source_scaling=self.source_scaling,
            target_scaling=self.target_scaling,
            n_noise=self.noise_dim,
            probe_dropout=self.probe_dropout,
            optimizer__betas=ADAM_BETAS,
        )
        if self.adversarial_loss is None:
            return OmicsNet(**options)
        discriminator = self.discriminator
        if isinstance(discriminator, str):
            discriminator = get_discriminator(discriminator)
        shared = {"groups": groups}
        params = network_params(discriminator, shared, self.discriminator_params)
        options.update({f"discriminator__{name}": value for name, value in params.items()})
        return AdversarialNet(
            discriminator=discriminator,
            discriminator__n_target=options["module__n_target"],
            discriminator__n_source=options["module__n_source"],
            adversarial_loss=ADVERSARIAL_LOSSES[self.adversarial_loss],
            discriminator_optimizer=torch.optim.Adam,
            discriminator_optimizer__fused=True,
            discriminator_optimizer__betas=ADAM_BETAS,
            discriminator_optimizer__lr=self.discriminator_lr or self._numbers()["lr"],
            **options,
        )
