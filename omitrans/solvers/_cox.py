"""Cox regression of one gene at a time, for many genes at once."""

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from omitrans.solvers._risk_sets import RiskSets
from omitrans.solvers._standardize import spread_of_extremes
from omitrans.solvers._workers import workers

MAX_ITER = 50
STEP_TOL = 1e-8  # of a coefficient per standard deviation; the step after it is near its square
GAIN_TOL = 1e-9  # of the log-likelihood, relative; as coxph
BLOCK_VALUES = 2**17  # of a block of genes: 1 MiB, so that its passes stay in the cache
ENDLESS = 50.0  # a log hazard ratio between two samples that no data support
COLLINEAR = 1e-9  # part of the information on a gene that covariates leave


@dataclass(frozen=True, eq=False)
class CoxFits:
    """Cox models of one gene each.

    Attributes
    ----------
    coef, se : ndarray of shape (n_genes,)
        Log hazard ratio per unit of the gene, and its standard error.
    wald, score, lr : ndarray of shape (n_genes,)
        Statistics of the three tests of no effect, each chi-squared with one degree of freedom.
    score_sign : ndarray of shape (n_genes,)
        Sign of the derivative of the log-likelihood at no effect.
    status : ndarray of object of shape (n_genes,)
        "ok"; "constant" in every risk set; "collinear" with the covariates; "separated", where the
        likelihood grows without end; or "not converged".
    """

    coef: np.ndarray
    se: np.ndarray
    wald: np.ndarray
    score: np.ndarray
    lr: np.ndarray
    score_sign: np.ndarray
    status: np.ndarray

    @classmethod
    def blank(cls, n_genes: int) -> "CoxFits":
        """Return models without numbers."""
        status = np.full(n_genes, "ok", dtype=object)
        return cls(**{f.name: np.full(n_genes, np.nan) for f in fields(cls)} | {"status": status})


@dataclass(eq=False)
class _Block:
    """A block of standardised genes with the covariates of every model.

    `gene` has the shape (n_rows, n_genes) and `covariates` (n_rows, n_covariates).
    """

    sets: RiskSets
    gene: np.ndarray
    covariates: np.ndarray
    n_variables: int = field(init=False)

    def __post_init__(self) -> None:
        self.n_variables = 1 + self.covariates.shape[1]

    def take(self, genes: np.ndarray) -> "_Block":
        return (
            self
            if len(genes) == self.gene.shape[1]
            else _Block(self.sets, self.gene[:, genes], self.covariates)
        )

    def column(self, j: int) -> np.ndarray:
        return self.gene if j == 0 else self.covariates[:, j - 1, None]

    def predictor(self, beta: np.ndarray) -> np.ndarray:
        """Return the logarithm of the relative hazard, (n_rows, n_genes).

        It has one column if genes have no effect and share the coefficients of the covariates.
        """
        if len(beta) and not beta[:, 0].any() and (beta == beta[:1]).all():
            return (self.covariates @ beta[0, 1:])[:, None]
        eta = self.gene * beta[:, 0]
        if self.n_variables > 1:
            eta += np.einsum("ij,gj->ig", self.covariates, beta[:, 1:])
        return eta

    def evaluate(self, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return log-likelihood, gradient and information of each gene's model.

        `beta` and the gradient have the shape (n_genes, n_variables).
        """
        sets, weight = self.sets, self.sets.weight
        eta = self.predictor(beta)
        loglik = np.einsum("i,ig->g", sets.event, eta)
        top = eta.max(axis=0)
        hazard = np.exp(np.subtract(eta, top, out=eta), out=eta)
        total = sets.sums(hazard)
        loglik -= np.einsum("t,tg->g", weight, np.log(total)) + weight.sum() * top
        expected = sets.hazard_of_rows(total)
        expected *= hazard

        gradient = np.empty_like(beta)
        information = np.empty((len(beta), self.n_variables, self.n_variables))
        means = []
        for j in range(self.n_variables):
            column = self.column(j)
            means.append(sets.sums(hazard * column) / total)
            ours = expected * column
            gradient[:, j] = (sets.event @ column) - ours.sum(axis=0)
            for k in range(j + 1):
                second = np.einsum("ig,ig->g", ours, self.column(k))
                product = np.einsum("t,tg,tg->g", weight, means[j], means[k])
                information[:, j, k] = information[:, k, j] = second - product
        return np.resize(loglik, len(beta)), gradient, information


def cox_fits(
    values: np.ndarray,
    time: np.ndarray,
    event: np.ndarray,
    *,
    strata: Any = None,
    covariates: Any = None,
    ties: str = "efron",
    score_only: bool = False,
) -> CoxFits:
    """Fit a Cox model of each gene, with the same covariates in every model.

    Newton's method with halved steps runs over blocks of genes, in float64 whatever the dtype of
    the table. It starts at the model of the covariates alone.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_genes)
        Expression.
    time : ndarray of shape (n_samples,)
        Times of the event or of censoring.
    event : ndarray of bool of shape (n_samples,)
        Whether the event was seen; at least one was.
    strata : ndarray of int of shape (n_samples,), default=None
        Stratum of each sample, each with a baseline hazard of its own.
    covariates : ndarray of shape (n_samples, n_covariates), default=None
        Covariates of every model.
    ties : {"efron", "breslow"}, default="efron"
        Treatment of events at the same time.
    score_only : bool, default=False
        Whether to compute the score test alone, which needs no iterations.

    Returns
    -------
    CoxFits
        The models.

    Raises
    ------
    ValueError
        If the covariates alone have no model: they are collinear, constant, or separate the events
        from the other samples.
    """
    sets = RiskSets.of(time, event, strata, ties)
    fixed = np.empty((len(sets.rows), 0))
    if covariates is not None:
        fixed = np.asarray(covariates, dtype=np.float64)[sets.rows]
    fixed, null = _null_model(sets, fixed)
    n_genes = values.shape[1]
    fits = CoxFits.blank(n_genes)
    width = max(8, BLOCK_VALUES // len(sets.rows))

    def fit(start: int) -> None:
        genes = slice(start, start + width)
        gene = values[:, genes][sets.rows].astype(np.float64)
        _fit_block(sets, gene, fixed, null, fits, genes, score_only)

    with workers() as pool:
        for _ in pool.results(fit, range(0, n_genes, width)):
            pass
    return fits


def _null_model(sets: RiskSets, fixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return standardised covariates and their coefficients in the model without a gene."""
    if not fixed.shape[1]:
        return fixed, np.empty(0)
    with np.errstate(over="ignore"):
        scale = fixed.std(axis=0)
    fixed = fixed - fixed.mean(axis=0)
    scale = spread_of_extremes(scale, fixed)
    fixed /= np.where(scale > 0, scale, 1.0)
    block = _Block(sets, fixed[:, :1], fixed[:, 1:])
    beta = np.zeros((1, fixed.shape[1]))
    start = block.evaluate(beta)
    if np.linalg.eigvalsh(start[2][0])[0] <= COLLINEAR * start[2][0].trace():
        raise ValueError(
            "covariates are collinear, or constant among the samples at risk, so that their model "
            "has no single solution. Drop columns that follow from others."
        )
    beta, _, _, status = _newton(block, beta, *start)
    if status[0] != "ok":
        raise ValueError(
            f"The model of the covariates alone is {status[0]}: a coefficient grows without end, "
            "as when no sample of a category has an event. Merge rare categories."
        )
    return fixed, beta[0]


def _fit_block(
    sets: RiskSets,
    gene: np.ndarray,
    fixed: np.ndarray,
    null: np.ndarray,
    fits: CoxFits,
    where: slice,
    score_only: bool,
) -> None:
    """Fit a block of genes and write the results to their places."""
    genes = np.arange(where.start, where.start + gene.shape[1])
    constant, separated = _extremes(sets, gene)
    fits.status[genes[constant]] = "constant"
    genes, gene, separated = genes[~constant], gene[:, ~constant], separated[~constant]
    gene -= gene.mean(axis=0)
    scale = np.sqrt(np.einsum("ig,ig->g", gene, gene) / len(gene))
    scale = spread_of_extremes(scale, gene)
    gene /= scale
    block = _Block(sets, gene, fixed)
    beta = np.zeros((len(genes), block.n_variables))
    beta[:, 1:] = null
    start = block.evaluate(beta)
    variance = _variance_given_covariates(start[2])
    collinear = ~(variance > COLLINEAR * start[2][:, 0, 0])
    fits.status[genes[collinear]] = "collinear"
    good = np.flatnonzero(~collinear)
    genes, scale, separated, beta = genes[good], scale[good], separated[good], beta[good]
    null_loglik, gradient, information = (part[good] for part in start)
    fits.score[genes] = gradient[:, 0] ** 2 / variance[good]
    fits.score_sign[genes] = np.sign(gradient[:, 0])
    if score_only:
        return
    beta, loglik, information, status = _newton(
        block.take(good), beta, null_loglik.copy(), gradient, information
    )
    if block.n_variables == 1:  # known exactly
        status[(status == "separated") & ~separated] = "not converged"
        status[separated] = "separated"
    fits.status[genes] = status
    fits.lr[genes] = np.maximum(0.0, 2 * (loglik - null_loglik))
    ok = status == "ok"
    se = 1 / np.sqrt(_variance_given_covariates(information[ok]))
    fits.coef[genes[ok]] = beta[ok, 0] / scale[ok]
    fits.se[genes[ok]] = se / scale[ok]
    fits.wald[genes[ok]] = (beta[ok, 0] / se) ** 2


def _extremes(sets: RiskSets, gene: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which genes are constant in every risk set, and which are separated.

    A gene alone is separated if whoever has an event has the highest value of all at risk, or
    whoever has one has the lowest.
    """
    events = np.flatnonzero(sets.event)
    group = sets.group_of_row[events]
    highest, lowest = sets.accumulate(gene, np.maximum), sets.accumulate(gene, np.minimum)
    constant = (highest == lowest).all(axis=0)
    ups, downs = gene[events] == highest[group], gene[events] == lowest[group]
    return constant, ups.all(axis=0) | downs.all(axis=0)


def _variance_given_covariates(information: np.ndarray) -> np.ndarray:
    """Return the information on each gene that is left when the covariates are fitted too."""
    of_gene = information[:, 0, 0]
    if information.shape[1] == 1:
        return of_gene
    shared = information[:, 0, 1:]
    solved = np.linalg.solve(information[:, 1:, 1:], shared[:, :, None])[:, :, 0]
    return of_gene - np.einsum("gk,gk->g", shared, solved)


def _solve(information: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Return Newton's steps."""
    if gradient.shape[1] == 1:
        return gradient / np.maximum(information[:, :, 0], np.finfo(float).tiny)
    # enough for a matrix that is singular far out on the way to infinity
    diagonal = np.einsum("gkk->gk", information)
    eye = np.eye(gradient.shape[1]) * (1e-13 * diagonal.max(axis=1) + 1e-300)[:, None, None]
    return np.linalg.solve(information + eye, gradient[:, :, None])[:, :, 0]


def _newton(
    block: _Block,
    beta: np.ndarray,
    loglik: np.ndarray,
    gradient: np.ndarray,
    information: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return coefficients, log-likelihood, information and status of each model.

    The last three arguments are those at the starting values `beta`. Steps that lower the
    likelihood are halved. A likelihood that no longer grows while the steps stay as long as they
    were has its maximum at infinity.
    """
    step = _solve(information, gradient)
    status = np.full(len(beta), "not converged", dtype=object)
    active = np.arange(len(beta))
    for _ in range(MAX_ITER):
        tried = beta[active] + step[active]
        # far out on the way to infinity, hazards of whole risk sets underflow to 0
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            new_loglik, new_gradient, new_information = block.take(active).evaluate(tried)
        lowest = loglik[active] - 1e-11 * (1 + np.abs(loglik[active]))
        better = np.isfinite(new_loglik) & (new_loglik >= lowest)
        step[active[~better]] /= 2
        taken = active[better]
        gain = new_loglik[better] - loglik[taken]
        beta[taken], loglik[taken] = tried[better], new_loglik[better]
        information[taken] = new_information[better]
        with np.errstate(invalid="ignore"):
            new_step = _solve(information[taken], new_gradient[better])
        length, before = np.abs(new_step).max(axis=1), np.abs(step[taken]).max(axis=1)
        step[taken] = new_step
        stalled = (gain <= GAIN_TOL * (1 + np.abs(loglik[taken]))) & (length > 0.5 * before)
        status[taken[stalled & (length > 1e-4)]] = "separated"
        done = taken[length <= STEP_TOL]
        beta[done] += step[done]
        status[done] = "ok"
        active = active[status[active] == "not converged"]
        if not len(active):
            break
    rest = block.take(active)
    spread = np.ptp(rest.predictor(beta[active]), axis=0)
    status[active[np.broadcast_to(spread > ENDLESS, active.shape)]] = "separated"
    return beta, loglik, information, status
