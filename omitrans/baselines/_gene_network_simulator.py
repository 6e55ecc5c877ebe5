"""GeneNetworkSimulator: expression from the kinetics of a known gene-regulatory network."""

from numbers import Real
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from omitrans.covariates._columns import CovariateTable
from omitrans.covariates._expression_generator import ExpressionGeneratorMixin
from omitrans.solvers._gene_network import KineticNetwork, draw_kinetics
from omitrans.solvers._gene_noise import biological_noise, experimental_noise, langevin_states
from omitrans.utils._blocks import column_blocks
from omitrans.utils._network_edges import edges_between
from omitrans.utils._sklearn import Interval, StrOptions, fit_context

_KINETICS = {"syntren": "syntren", "genenetweaver": "gnw"}
# The settings with the best s_dist in the paper.
_BIOLOGICAL_NOISE = {"syntren": 0.8, "genenetweaver": 0.1}
_N_CALIBRATION = 1024
_NO_SPREAD = 1e-9  # standard deviation over mean, below which levels differ by rounding only


class GeneNetworkSimulator(ExpressionGeneratorMixin, BaseEstimator):
    """Draw expression from a known gene-regulatory network, as SynTReN and GeneNetWeaver do.

    The kinetic parameters of the network are drawn in fit. For each sample, rates of the genes
    without regulators are drawn between 0 and 1; the levels of all other genes follow from these,
    with noise that regulators pass on to their targets. Of real expression only the mean and the
    standard deviation of each gene are used: levels are mapped linearly to them. The covariates do
    not enter, as these programs have none.

    Parameters
    ----------
    network : DataFrame of shape (n_edges, n_columns), default=None
        One row per edge, with the columns ``regulator`` and ``target``, which hold names of genes.
        The column ``effect`` may say whether the regulator activates its target (1, "+",
        "activator") or represses it (-1, "-", "repressor"). Signs that are 0, "dual" or missing are
        drawn. Edges with a gene that is not in the expression are left out. An edge that is listed
        twice counts once, with a drawn sign if the effects differ. None means no edges: all genes
        are independent.
    flavour : {"syntren", "genenetweaver"}, default="syntren"
        With "syntren" regulators compete by Michaelis-Menten and Hill kinetics, and edges that
        close a cycle are left out. With "genenetweaver" they act in modules, and levels follow the
        chemical Langevin equation, which takes much longer.
    biological_noise : float, default=None
        With "syntren", the standard deviation of the logarithm of a factor of every level; with
        "genenetweaver", the coefficient of the noise of the Langevin equation. None takes 0.8 and
        0.1, which were best in the paper.
    experimental_noise : float, default=0.0
        Standard deviation of the logarithm of a factor of every measured level, which is not passed
        on to targets.
    keep_cycles : bool, default=True
        Whether edges that close a cycle stay. Only with "genenetweaver".
    background : {"normal", "simulated"}, default="normal"
        What genes without an edge get. "normal" draws them from a normal distribution with their
        mean and standard deviation. "simulated" draws their levels like those of genes without
        regulators. They are independent of all other genes in both cases.
    categorical_covariates : column specifier, default="auto"
        Columns of the covariates that are categories. "auto" takes text, categories and booleans.
    numeric_covariates : column specifier, default="auto"
        Columns of the covariates that are numbers. "auto" takes all columns of numbers.
    ignored_columns : column specifier, default=None
        Columns of X that are neither expression nor covariates, such as ids of donors.
    random_state : int, RandomState instance or None, default=None
        Seed of the kinetic parameters.

    Attributes
    ----------
    edges_ : DataFrame of shape (n_edges, 3)
        The edges in use: ``regulator``, ``target`` and ``effect`` (1 or -1). They are the truth
        that a method which infers networks from the draws should find.
    mean_ : ndarray of shape (n_genes,)
        Mean of each gene in fit.
    scale_ : ndarray of shape (n_genes,)
        Standard deviation of each gene in fit.
    covariates_ : CovariateEncoder
        The fitted encoder of the covariates.
    target_names_ : ndarray of str
        Names of the targets: the columns of y, or y0, y1, ... where y has no names.
    n_targets_ : int
        Number of targets.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of str
        Names of the columns of X seen in fit, if X is a frame.

    See Also
    --------
    GaussianGenerator : Learns correlations from expression, without a network.
    omitrans.metrics.generation_report : Scores that compare draws with real expression.

    Notes
    -----
    The equations are of the kind that the two programs use, and no copy of their code; the ranges
    from which parameters are drawn are those of this package. The linear map from levels to
    expression leaves all correlations as they are. It is set such that mean and standard deviation
    are met over many draws, so that a single table differs from them by chance.

    References
    ----------
    T. Van den Bulcke et al., "SynTReN: a generator of synthetic gene expression data for design and
    analysis of structure learning algorithms", BMC Bioinformatics 7:43, 2006.

    T. Schaffter et al., "GeneNetWeaver: in silico benchmark generation and performance profiling of
    network inference methods", Bioinformatics 27(16), 2011.

    R. Viñas et al., "Adversarial generation of gene expression data", Bioinformatics 38(3), 2022,
    section 5.1, for the comparison and the noise.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from omitrans.baselines import GeneNetworkSimulator
    >>> rng = np.random.default_rng(0)
    >>> covariates = pd.DataFrame({"strain": ["K-12", "BL21"] * 50})
    >>> expression = pd.DataFrame(rng.normal(8, 2, size=(100, 3)), columns=["crp", "lacZ", "malT"])
    >>> network = pd.DataFrame({"regulator": "crp", "target": ["lacZ", "malT"], "effect": "+"})
    >>> model = GeneNetworkSimulator(network, random_state=0).fit(covariates, expression)
    >>> drawn = model.sample_y(covariates, n_samples=20, random_state=0)
    >>> bool(drawn["crp"].corr(drawn["lacZ"]) > 0.2)
    True
    """

    _parameter_constraints = {
        **ExpressionGeneratorMixin._parameter_constraints,
        "network": [pd.DataFrame, None],
        "flavour": [StrOptions(set(_KINETICS))],
        "biological_noise": [Interval(Real, 0, None, closed="left"), None],
        "experimental_noise": [Interval(Real, 0, None, closed="left")],
        "keep_cycles": ["boolean"],
        "background": [StrOptions({"normal", "simulated"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        network: pd.DataFrame | None = None,
        *,
        flavour: str = "syntren",
        biological_noise: float | None = None,
        experimental_noise: float = 0.0,
        keep_cycles: bool = True,
        background: str = "normal",
        categorical_covariates: Any = "auto",
        numeric_covariates: Any = "auto",
        ignored_columns: Any = None,
        random_state: Any = None,
    ) -> None:
        self.network = network
        self.flavour = flavour
        self.biological_noise = biological_noise
        self.experimental_noise = experimental_noise
        self.keep_cycles = keep_cycles
        self.background = background
        self.categorical_covariates = categorical_covariates
        self.numeric_covariates = numeric_covariates
        self.ignored_columns = ignored_columns
        self.random_state = random_state

    # --- fit ---

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any, groups: Any = "auto") -> Self:
        """Draw the kinetic parameters, and learn the mean and the spread of each gene.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            The covariates of each sample. They are checked, and do not influence the draws.
        y : array-like or DataFrame of shape (n_samples, n_genes)
            Expression of the same samples in the same order, e.g. log2(TPM + 1).
        groups : "auto", None or array-like of shape (n_samples,), default="auto"
            Ignored; there for the sake of the other generators.

        Returns
        -------
        GeneNetworkSimulator
            The fitted simulator.

        Raises
        ------
        SampleMismatchError
            If X and y are indexed and do not hold the same samples in the same order.
        FeatureMismatchError
            If a covariate that a parameter names is absent, or named twice.
        ValueError
            If expression is missing or infinite, if there are fewer than two samples, or if the
            network lacks a column, holds an unknown effect or joins no two different genes of y.

        Warns
        -----
        UserWarning
            If edges are left out because a gene of theirs is not in y.
        """
        _, expression = self._check_tables(X, y)
        seeds = check_random_state(self.random_state).randint(np.iinfo(np.int32).max, size=2)
        self._draw_network(int(seeds[0]))
        n_genes = self.n_targets_
        self.mean_, self.scale_ = np.empty((2, n_genes))
        for columns in column_blocks(*expression.shape):
            block = np.ascontiguousarray(expression[:, columns], dtype=np.float64)
            self.mean_[columns], self.scale_[columns] = block.mean(axis=0), block.std(axis=0)
        constant = (expression == expression[0]).all(axis=0)
        self.mean_[constant], self.scale_[constant] = expression[0, constant], 0.0
        self._dtype = expression.dtype.name
        levels = self._levels(_N_CALIBRATION, np.random.default_rng(int(seeds[1])))
        mean, spread = levels.mean(axis=0), levels.std(axis=0)
        varies = spread > _NO_SPREAD * mean
        self._level_mean = mean
        self._gain = np.where(varies, 1 / np.where(varies, spread, 1.0), 0.0)
        return self

    def _draw_network(self, seed: int) -> None:
        """Draw the kinetic parameters of the genes that are simulated."""
        genes = pd.Index(self.target_names_)
        regulators = targets = rows = np.zeros(0, dtype=np.intp)
        effects = None
        if self.network is not None:
            regulators, targets, rows = edges_between(self.network, genes, table="y")
            if "effect" in self.network.columns:
                effects = _agreed(self.network).iloc[rows]
        simulated = np.unique(np.concatenate([regulators, targets]))
        if self.background == "simulated":
            simulated = np.arange(len(genes))
        self._simulated = simulated
        kinetics = draw_kinetics(
            np.searchsorted(simulated, regulators),
            np.searchsorted(simulated, targets),
            n_genes=len(simulated),
            flavour=_KINETICS[self.flavour],
            seed=seed,
            effects=effects,
            keep_cycles=self.keep_cycles and self.flavour == "genenetweaver",
        )
        self._kinetics = vars(kinetics)
        self.edges_ = pd.DataFrame(
            {
                "regulator": self.target_names_[simulated[kinetics.regulators]],
                "target": self.target_names_[simulated[kinetics.targets]],
                "effect": kinetics.effects.astype(np.int64),
            }
        )

    # --- sampling ---

    def _draw(self, table: CovariateTable, random: np.random.Generator) -> np.ndarray:
        n_rows = len(table.categorical)
        others = np.setdiff1d(np.arange(self.n_targets_), self._simulated)
        scores = np.empty((n_rows, self.n_targets_))
        scores[:, others] = random.standard_normal((n_rows, len(others)))
        levels = self._levels(n_rows, random.spawn(1)[0])
        scores[:, self._simulated] = (levels - self._level_mean) * self._gain
        return (scores * self.scale_ + self.mean_).astype(self._dtype)

    def _levels(self, n_rows: int, random: np.random.Generator) -> np.ndarray:
        """Return levels of the simulated genes, of shape (n_rows, n_simulated)."""
        network = KineticNetwork(**self._kinetics)
        if not network.n_genes:
            return np.empty((n_rows, 0))
        seeds = random.integers(np.iinfo(np.int64).max, size=2).tolist()
        inputs = random.random((n_rows, len(network.inputs)))
        scale = self.biological_noise
        scale = _BIOLOGICAL_NOISE[self.flavour] if scale is None else scale
        states = biological_noise if self.flavour == "syntren" else langevin_states
        levels = states(network, inputs, scale=scale, seed=seeds[0])
        if self.experimental_noise:
            levels = experimental_noise(levels, scale=self.experimental_noise, seed=seeds[1])
        return levels


def _agreed(network: pd.DataFrame) -> pd.Series:
    """Return the effect of each edge; none where an edge is listed with different effects."""
    ends = [network["regulator"], network["target"]]
    n_effects = network["effect"].astype(str).groupby(ends).transform("nunique")
    return network["effect"].astype(object).mask(n_effects > 1, "dual")
