"""The truth of a simulated cohort is true."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from omitrans.datasets import make_paired_omics
from omitrans.datasets.simulate._expression import r2_ceiling, rectified_moments
from omitrans.datasets.simulate._promoters import sigmoid, silenced_share


def cross_validated_r2(model, X, data, genes, *, grouped=True):
    Y = data.Y[genes]
    folds = (
        {"cv": GroupKFold(5), "groups": data.samples["patient"]} if grouped else {"cv": KFold(5)}
    )
    predicted = cross_val_predict(model, X, Y, **folds)
    return pd.Series(r2_score(Y, predicted, multioutput="raw_values"), index=Y.columns)


@pytest.fixture(scope="module")
def ridge(cohort):
    """Cross-validated R² of a linear model for every gene that varies."""
    model = make_pipeline(SimpleImputer(), StandardScaler(), Ridge(3000))
    return cross_validated_r2(model, cohort.X, cohort, cohort.Y.columns[cohort.Y.std() > 0])


@pytest.fixture(scope="module")
def many():
    """Enough samples to see R² sharply, noise-free methylation."""
    return make_paired_omics(
        1500, 600, 150, probe_noise=0, batch_effect=0, missing_rate=0, random_state=0
    )


def drivers(data):
    """Return what an oracle may see: both compartments' programmes, purity and sex."""
    truth, samples = data.truth, data.samples
    purity = samples[["purity"]].to_numpy()
    return np.hstack(
        [
            truth.tumour_programmes * purity,
            truth.normal_programmes * (1 - purity),
            purity,
            samples[["sex"]] == "female",
        ]
    )


def test_every_gene_has_a_kind(cohort):
    kind = cohort.truth.genes["kind"]
    assert kind.index.equals(cohort.Y.columns)
    share = kind.value_counts(normalize=True)
    assert set(share.index) == {
        "cis", "trans", "both", "nonlinear", "unpredictable", "constant-zero",
    }  # fmt: skip
    assert share["constant-zero"] == pytest.approx(0.05, abs=0.03)
    assert share["unpredictable"] == pytest.approx(0.25 * 0.95, abs=0.05)
    assert (cohort.Y.loc[:, kind == "constant-zero"] == 0).all(axis=None)


def test_fractions_are_kept():
    data = make_paired_omics(
        5, 20, 4000, predictable_fraction=0.4, zero_fraction=0.2, random_state=0
    )
    share = data.truth.genes["kind"].value_counts(normalize=True)
    assert share["constant-zero"] == pytest.approx(0.2, abs=0.02)
    assert data.truth.genes["predictable"].mean() == pytest.approx(0.4 * 0.8, abs=0.03)


def test_ceilings_fit_the_kinds(cohort):
    ceiling = cohort.truth.genes["r2_ceiling"].groupby(cohort.truth.genes["kind"])
    assert ceiling.max()["constant-zero"] == 0
    assert ceiling.max()["unpredictable"] < 1e-6
    for kind in ("cis", "trans", "both", "nonlinear"):
        assert ceiling.median()[kind] > 0.3
    assert ceiling.max().max() < 1


@pytest.mark.parametrize("kind", ["trans", "nonlinear"])
def test_the_conditional_mean_reaches_the_ceiling(many, kind):
    # written out from the published truth alone
    truth, samples = many.truth, many.samples
    autosomal = ~many.genes["chromosome"].isin(["X", "Y"]).to_numpy()
    genes = truth.genes[(truth.genes["kind"] == kind) & autosomal]
    loadings, gates = (
        frame.loc[genes.index].T for frame in (truth.gene_loadings, truth.gene_gates)
    )

    def abundance(programmes):
        gate = 1.5 / (1 + np.exp(-(programmes @ gates))) if kind == "nonlinear" else 1
        return 2 ** (programmes @ loadings * gate + genes["base"]).to_numpy(float)

    purity = samples[["purity"]].to_numpy()
    tumour, normal = abundance(truth.tumour_programmes), abundance(truth.normal_programmes)
    expected, _ = rectified_moments(
        np.log2(purity * tumour + (1 - purity) * normal), genes["noise_sd"].to_numpy()
    )
    reached = r2_score(many.Y[genes.index], expected, multioutput="raw_values")
    assert len(reached) > 5
    np.testing.assert_allclose(reached, genes["r2_ceiling"], atol=0.06)
    assert np.mean(reached - genes["r2_ceiling"]) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("kind", ["cis", "trans", "both", "nonlinear", "unpredictable"])
def test_what_the_ceiling_leaves_is_the_noise(many, kind):
    # away from the detection limit, the noise is all that is not explained
    truth = many.truth.genes
    clear = truth.index[(truth["kind"] == kind) & (many.Y > 0).all()]
    left = truth["noise_sd"][clear] ** 2 / many.Y[clear].var()
    assert len(clear) > 5
    np.testing.assert_allclose(1 - left, truth["r2_ceiling"][clear], atol=0.1)
    assert np.mean(1 - left - truth["r2_ceiling"][clear]) == pytest.approx(0, abs=0.02)


def test_no_oracle_regression_exceeds_the_ceiling(many):
    truth = many.truth.genes
    genes = truth.index[truth["kind"].isin(["trans", "nonlinear"])]
    oracle = cross_validated_r2(Ridge(1.0), drivers(many), many, genes)
    gap = truth["r2_ceiling"][genes] - oracle
    assert gap.min() > -0.05
    assert gap[truth["kind"] == "trans"].median() < 0.1
    # what is nonlinear stays out of reach of a linear model, whatever it sees
    assert gap[truth["kind"] == "nonlinear"].median() > 0.1


@pytest.mark.slow
def test_trees_on_the_true_drivers_stay_below_the_ceiling(many):
    truth = many.truth.genes
    for gene in truth.index[truth["kind"] == "nonlinear"][:6]:
        model = HistGradientBoostingRegressor(max_iter=60, random_state=0)
        predicted = cross_val_predict(
            model, drivers(many), many.Y[gene], cv=GroupKFold(3), groups=many.samples["patient"]
        )
        assert r2_score(many.Y[gene], predicted) < truth["r2_ceiling"][gene] + 0.03


def test_ridge_stays_below_the_ceiling(cohort, ridge):
    ceiling = cohort.truth.genes["r2_ceiling"][ridge.index]
    # a few of hundreds of genes may exceed it by chance at 300 samples
    assert (ridge > ceiling + 0.05).mean() < 0.02
    assert (ridge - ceiling).median() < -0.05


def test_the_default_difficulty_is_realistic(ridge):
    assert 0.25 < ridge.mean() < 0.45
    assert 0.25 < ridge.median() < 0.45


def test_unpredictable_genes_cannot_be_predicted(cohort, ridge):
    kind = cohort.truth.genes["kind"][ridge.index]
    assert ridge[kind == "unpredictable"].max() < 0.1
    assert ridge[kind == "unpredictable"].mean() == pytest.approx(0, abs=0.1)
    assert ridge[kind == "cis"].mean() > 0.1
    assert (ridge[kind == "cis"] > 0).mean() > 0.8
    assert ridge[kind == "both"].mean() > 0.25


def test_folds_that_split_patients_flatter():
    data = make_paired_omics(300, 400, 150, repeat_fraction=0.4, missing_rate=0, random_state=0)
    model = make_pipeline(StandardScaler(), Ridge(300))
    genes = data.Y.columns[data.Y.std() > 0]
    honest, flattering = (
        cross_validated_r2(model, data.X, data, genes, grouped=grouped) for grouped in (True, False)
    )
    assert flattering.mean() > honest.mean() + 0.02


def test_promoter_probes_of_a_cis_gene_predict_it(many):
    edges, kind = many.truth.edges, many.truth.genes["kind"]
    own = [
        r2_score(many.Y[gene], Ridge(1e-3).fit(x, many.Y[gene]).predict(x))
        for gene, probes in edges.groupby("gene_id")["probe_id"]
        if kind[gene] == "cis"
        for x in [many.X[probes]]
    ]
    assert np.median(own) > 0.25


def test_promoter_methylation_silences(many):
    edges, kind = many.truth.edges, many.truth.genes["kind"]
    assert (edges["effect"] < 0).all()
    cis = edges[edges["gene_id"].map(kind) == "cis"]
    correlation = pd.Series(
        [many.X[p].corr(many.Y[g]) for p, g in zip(cis["probe_id"], cis["gene_id"], strict=True)]
    )
    assert len(correlation) > 30
    assert (correlation < 0).mean() > 0.95
    assert correlation.median() < -0.4


def test_edges_join_neighbours(many):
    probes = many.probes.set_index("probe_id").loc[many.truth.edges["probe_id"]]
    genes = many.genes.set_index("gene_id").loc[many.truth.edges["gene_id"]]
    np.testing.assert_array_equal(probes["gene_symbol"], genes["gene_symbol"])
    np.testing.assert_array_equal(probes["chromosome"], genes["chromosome"])
    start = genes["start"].where(genes["strand"] == "+", genes["end"])
    assert np.abs(probes["position"].to_numpy() - start.to_numpy()).max() <= 1500
    silenced = many.truth.genes["silencing"] > 0
    assert set(many.truth.edges["gene_id"]) == set(silenced.index[silenced])


def test_programmes_move_both_omics(many):
    pure = many.samples["purity"] > 0.6
    programmes = many.truth.tumour_programmes[pure]
    for table in (many.X, many.Y):
        model = make_pipeline(StandardScaler(), Ridge(100))
        predicted = cross_val_predict(model, table[pure], programmes, cv=5)
        assert r2_score(programmes, predicted, multioutput="raw_values").min() > 0.4


def test_ceilings_need_no_noise_to_be_high():
    quiet = make_paired_omics(60, 200, 100, noise=0, random_state=0).truth.genes
    loud = make_paired_omics(60, 200, 100, noise=3, random_state=0).truth.genes
    predictable = quiet["predictable"] & (quiet["r2_ceiling"] > 0)
    assert quiet["r2_ceiling"][predictable].min() == pytest.approx(1)
    assert loud["r2_ceiling"][predictable].mean() < 0.4


def test_rectified_moments_agree_with_sampling():
    draws = np.random.default_rng(0).normal(size=400_000)
    for mean, sd in [(-2.0, 1.0), (0.0, 0.5), (0.3, 2.0), (9.0, 1.0)]:
        values = np.maximum(mean + sd * draws, 0)
        first, variance = rectified_moments(np.array(mean), np.array(sd))
        assert first == pytest.approx(values.mean(), rel=0.01, abs=1e-3)
        assert variance == pytest.approx(values.var(), rel=0.02, abs=1e-3)


def test_ceiling_of_constant_and_noise_free_genes():
    abundance = np.array([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0], [-30.0, -30.0, -30.0]])
    np.testing.assert_allclose(r2_ceiling(abundance, np.zeros(3)), [1, 0, 0])
    np.testing.assert_allclose(r2_ceiling(abundance + 100, np.full(3, 1.0))[0], (2 / 3) / (5 / 3))


def test_silencing_saturates():
    share = silenced_share(np.linspace(0, 1, 11))
    assert share[0] == 0
    assert share[-1] == pytest.approx(1)
    assert (np.diff(share) > 0).all()
    assert share[5] > 0.7


def test_sigmoid_keeps_to_its_limits():
    x = np.array([-1000.0, -1.0, 0.0, 1000.0], dtype=np.float32)
    np.testing.assert_allclose(sigmoid(x), [0, 1 / (1 + np.e), 0.5, 1], atol=1e-6)
