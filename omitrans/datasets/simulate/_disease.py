"""Simulated expression of healthy and diseased samples of two studies, with known drivers."""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from omitrans.datasets.simulate._multi_tissue import make_expression
from omitrans.datasets.simulate._samples import own_generator
from omitrans.utils._sklearn import Interval, validate_params

CONDITIONS = ("healthy", "disease")
STUDIES = ("study A", "study B")
WEAKEST_DRIVER = 0.7  # shifts of driver genes lie between this and 2 - this, times `effect`
MIN_MEAN = 2.0  # log2(TPM + 1) of a driver gene, so that a fall can be seen

DESCR = """\
Simulated gene expression of healthy and diseased samples from two studies
==========================================================================

Nothing in these tables was measured. The disease shifts the driver genes, in all tissues alike.
Each study shifts many genes as well, as another laboratory would. `truth` holds both.
"""


@validate_params(
    {
        "n_drivers": [Interval(Integral, 1, None, closed="left")],
        "effect": [Interval(Real, 0, None, closed="left")],
        "study_effect": [Interval(Real, 0, None, closed="left")],
        "confounding": [Interval(Real, 0, 1, closed="both")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_disease_expression(
    n_samples=400,
    n_genes=500,
    *,
    n_drivers=50,
    effect=1.0,
    study_effect=0.5,
    confounding=0.0,
    n_tissues=4,
    noise=0.5,
    random_state=None,
):
    """Simulate expression of healthy and diseased samples from two studies, with known drivers.

    Parameters
    ----------
    n_samples : int, default=400
        Number of samples.
    n_genes : int, default=500
        Number of genes.
    n_drivers : int, default=50
        Number of genes that the disease shifts.
    effect : float, default=1.0
        Mean size of a driver's shift, in log2 units. Half of the drivers rise.
    study_effect : float, default=0.5
        Standard deviation over genes of the shift between the two studies, in log2 units.
    confounding : float, default=0.0
        How far study and condition go together. With 0 each study holds as many healthy as diseased
        donors; with 1 all diseased donors are from one study and all healthy ones from the other,
        as where GTEx is compared with TCGA.
    n_tissues : int, default=4
        Number of tissues.
    noise : float, default=0.5
        Typical standard deviation of expression given its drivers, in log2 units.
    random_state : int, RandomState instance or None, default=None
        Seed of the random numbers.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with these attributes:

        covariates : DataFrame of shape (n_samples, 5)
            ``tissue, condition, study, sex`` (text) and ``age`` (years).
        expression : DataFrame of shape (n_samples, n_genes)
            Expression as log2(TPM + 1), float32.
        samples : DataFrame
            The covariates and the ``donor``.
        genes : DataFrame
            One row per gene: ``gene_id, gene_symbol, chromosome, start, end, strand``.
        truth : :class:`~sklearn.utils.Bunch`
            ``drivers``: the ids of the driver genes; ``disease_shift`` and ``study_shift``: the
            shift of each gene by the disease and from study A to study B, in log2 units.
        DESCR : str
            Description of the data as text.

    Raises
    ------
    ValueError
        If fewer than `n_drivers` genes are expressed.

    See Also
    --------
    make_expression : Simulates the tissues without a disease.

    Examples
    --------
    >>> from omitrans.datasets import make_disease_expression
    >>> data = make_disease_expression(n_samples=60, n_genes=80, n_drivers=5, random_state=0)
    >>> list(data.covariates)
    ['tissue', 'condition', 'study', 'sex', 'age']
    >>> len(data.truth.drivers), int((data.truth.disease_shift != 0).sum())
    (5, 5)
    """
    base_rng, rng = own_generator(random_state).spawn(2)
    base = make_expression(
        n_samples,
        n_genes,
        n_tissues=n_tissues,
        noise=noise,
        random_state=int(base_rng.integers(2**31)),
    )
    genes = base.expression.columns
    disease = _driver_shifts(base.truth.mean.mean(), n_drivers, effect, rng)
    study = rng.normal(0, study_effect, n_genes)
    donors, donor = np.unique(base.samples["donor"], return_inverse=True)
    diseased = rng.permutation(np.arange(len(donors)) % 2).astype(bool)
    in_b = np.where(rng.random(len(donors)) < confounding, diseased, _halved(diseased, rng))
    diseased, in_b = diseased[donor], in_b[donor]
    shift = np.outer(diseased, disease) + np.outer(in_b, study)
    # genes that are not expressed stay so
    expressed = base.expression.to_numpy() > 0
    values = np.where(expressed, np.maximum(base.expression + shift, 0), 0).astype(np.float32)
    covariates = pd.DataFrame(
        {
            "tissue": base.samples["tissue"],
            "condition": np.array(CONDITIONS, dtype=object)[diseased.astype(int)],
            "study": np.array(STUDIES, dtype=object)[in_b.astype(int)],
            "sex": base.samples["sex"],
            "age": base.samples["age"],
        }
    )
    return Bunch(
        covariates=covariates,
        expression=pd.DataFrame(values, base.expression.index, genes, copy=False),
        samples=covariates.assign(donor=base.samples["donor"]),
        genes=base.genes,
        truth=Bunch(
            drivers=genes[disease != 0],
            disease_shift=pd.Series(disease, genes, name="disease_shift"),
            study_shift=pd.Series(study, genes, name="study_shift"),
        ),
        DESCR=DESCR,
    )


def _driver_shifts(
    means: pd.Series, n_drivers: int, effect: float, rng: np.random.Generator
) -> np.ndarray:
    """Return the shift of each gene by the disease, which is 0 for all but the drivers."""
    expressed = np.flatnonzero(means.to_numpy() >= MIN_MEAN)
    if len(expressed) < n_drivers:
        raise ValueError(
            f"n_drivers={n_drivers} is more than the {len(expressed)} of {len(means)} genes that "
            "are expressed. Lower n_drivers, or raise n_genes."
        )
    shifts = np.zeros(len(means))
    sizes = effect * rng.uniform(WEAKEST_DRIVER, 2 - WEAKEST_DRIVER, n_drivers)
    signs = rng.permutation(np.where(np.arange(n_drivers) % 2, -1, 1))
    shifts[rng.choice(expressed, n_drivers, replace=False)] = signs * sizes
    return shifts


def _halved(diseased: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a mask that holds half of the diseased donors and half of the healthy ones."""
    half = np.zeros(len(diseased), dtype=bool)
    for members in (np.flatnonzero(diseased), np.flatnonzero(~diseased)):
        half[rng.permutation(members)[: len(members) // 2]] = True
    return half
