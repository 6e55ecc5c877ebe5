"""Genes driven by methylation: known truth, oracles, and errors of the first kind."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control, kstest, pearsonr

from omitrans.datasets import make_paired_omics
from omitrans.downstream import driving_genes, score_driving_genes
from omitrans.exceptions import FeatureMismatchError, SampleMismatchError
from omitrans.metrics import pr_auc, top_overlap
from omitrans.solvers._selection import effective_number


@pytest.fixture(name="cohort", scope="module")
def make_cohort():
    """One cancer type whose silenced genes have strong promoter probes."""
    return make_paired_omics(
        150, 1500, 200, n_cancer_types=1, batch_effect=0, missing_rate=0, random_state=0
    )


def silenced(cohort):
    genes = cohort.truth.genes
    edges = cohort.truth.edges
    strong = (genes["kind"] == "cis") & (genes["r2_ceiling"] > 0.6)
    return genes.index[strong & genes.index.isin(edges["gene_id"])]


@pytest.mark.parametrize("cis_window", [None, 2000])
def test_simulated_drivers_are_found(cohort, cis_window):
    places = {"probe_annotation": cohort.probes, "gene_annotation": cohort.genes}
    found = driving_genes(
        cohort.X,
        cohort.Y,
        selection="effective",
        threshold=0.4,
        cis_window=cis_window,
        **(places if cis_window is not None else {}),
    )
    true_edges = set(
        zip(cohort.truth.edges["gene_id"], cohort.truth.edges["probe_id"], strict=True)
    )
    genes = silenced(cohort)
    assert len(genes) >= 10
    assert all((gene, found.loc[gene, "probe"]) in true_edges for gene in genes)
    assert found.loc[genes, "driving"].all()
    kind = cohort.truth.genes["kind"]
    assert not found.loc[kind == "unpredictable", "driving"].any()
    assert found.loc[kind == "constant-zero", "probe"].isna().all()


def test_each_column_of_the_frame(cohort):
    X, Y = cohort.X.iloc[:, :200], cohort.Y.iloc[:, :30]
    found = driving_genes(X, Y)
    for gene, row in found.dropna().iterrows():
        r, p = pearsonr(X[row["probe"]].astype(float), Y[gene].astype(float))
        assert (row["r"], row["p"]) == pytest.approx((r, p), rel=1e-6)
        assert abs(r) == pytest.approx(X.astype(float).corrwith(Y[gene].astype(float)).abs().max())
    known = found["p"].notna()
    assert (found["p_corrected"] == found["p"])[known].all()
    np.testing.assert_allclose(found.loc[known, "q"], false_discovery_control(found["p"][known]))
    assert (found["driving"] == ((found["r2"] > 0.5) & (found["q"] < 0.05))).all()
    assert (found["n_probes"] == 200).all()
    arrays = driving_genes(X.to_numpy(), Y.to_numpy())
    assert arrays.index.tolist() == list(range(30))
    np.testing.assert_array_equal(arrays["r"], found["r"])
    assert X.columns[arrays["probe"].dropna().astype(int)].tolist() == list(found["probe"].dropna())


def null_tables(rng, n_samples=80, n_probes=300, n_genes=1200):
    """Neighbouring CpGs go together; expression, of normal and of skewed genes, is unrelated."""
    noise = rng.normal(size=(n_samples, n_probes))
    X = noise + 0.8 * np.repeat(rng.normal(size=(n_samples, n_probes // 10)), 10, axis=1)
    Y = rng.normal(size=(n_samples, n_genes))
    Y[:, ::2] = np.exp(Y[:, ::2])
    return X, Y


def test_selection_is_corrected_under_the_null(rng):
    X, Y = null_tables(rng)
    bare = driving_genes(X, Y)
    assert (bare["p"] < 0.05).mean() > 0.95  # what the correction is for
    for selection, room in (("effective", 0.09), ("permutation", 0.06)):
        found = driving_genes(X, Y, selection=selection, n_permutations=40, random_state=0)
        assert 0.025 < (found["p_corrected"] < 0.05).mean() < 0.085
        assert (found["p_corrected"] < 0.001).mean() < 0.006
        assert kstest(found["p_corrected"], "uniform").statistic < room
        assert (found["q"] < 0.05).sum() <= 2
        assert not found["driving"].any()


def test_few_permutations_reach_small_p_values(rng):
    X, Y = null_tables(rng, n_genes=40)
    Y[:, 0] = X[:, 7] + 0.3 * rng.normal(size=80)
    found = driving_genes(X, Y, selection="permutation", n_permutations=20, random_state=0)
    assert found["p_corrected"].iloc[0] < 1e-10
    assert found["driving"].tolist() == [True] + [False] * 39
    again = driving_genes(X, Y, selection="permutation", n_permutations=20, random_state=0)
    pd.testing.assert_frame_equal(found, again)


def test_a_difference_between_groups_does_not_count_within_groups(rng):
    groups = np.repeat(["lung", "liver", "colon"], 30)
    means = rng.normal(size=(2, 3, 200))
    X = rng.normal(size=(90, 100)) + means[0, np.repeat(range(3), 30), :100]
    Y = rng.normal(size=(90, 200)) + means[1, np.repeat(range(3), 30)]
    Y[:, 0] += 2 * X[:, 4]
    settings = {"selection": "permutation", "random_state": 0, "n_permutations": 60}
    whole = driving_genes(X, Y, **settings)
    assert (whole["p_corrected"] < 0.001).mean() > 0.2
    within = driving_genes(X, Y, groups=groups, **settings)
    assert within["p_corrected"].iloc[0] < 1e-6
    assert 0.01 < (within["p_corrected"].iloc[1:] < 0.05).mean() < 0.1
    pd.testing.assert_series_equal(whole["r2"], within["r2"])


def test_effective_number(rng):
    independent = rng.normal(size=(200, 300))
    assert effective_number(independent) == pytest.approx(300, rel=0.05)
    copies = np.repeat(independent[:, :30], 10, axis=1)
    assert effective_number(copies) == pytest.approx(30, rel=0.05)
    assert effective_number(np.ones((200, 3))) == 0


# --- scores of predictions ---


@pytest.fixture(name="measured", scope="module")
def make_measured(cohort):
    return driving_genes(cohort.X, cohort.Y, threshold=0.4)


def score(measured, cohort, predicted, **options):
    return score_driving_genes(
        measured, cohort.X, predicted, threshold=0.4, k=30, random_state=0, **options
    )


def test_a_perfect_prediction(cohort, measured):
    result = score(measured, cohort, cohort.Y, n_bootstrap=20)
    np.testing.assert_allclose(result.scores[["value", "lower", "upper"]], 1)
    np.testing.assert_allclose(result.genes["r2"], result.genes["r2_predicted"])
    assert result.scores.loc["top_overlap", "chance"] == 30 / len(result.genes)


def test_scores_are_those_of_the_same_cpg(cohort, measured, rng):
    predicted = cohort.Y + rng.normal(size=cohort.Y.shape)
    result = score(measured, cohort, predicted, n_bootstrap=50)
    genes, values = result.genes, result.scores["value"]
    for gene in genes.index[:5]:
        r = np.corrcoef(cohort.X[measured.loc[gene, "probe"]], predicted[gene])[0, 1]
        assert genes.loc[gene, "r2_predicted"] == pytest.approx(r**2)
    labels = genes["r2"] > 0.4
    assert values["pr_auc_integral"] == pytest.approx(pr_auc(labels, genes["r2_predicted"]))
    assert values["pr_auc_average_precision"] == pytest.approx(
        pr_auc(labels, genes["r2_predicted"], method="average-precision")
    )
    assert values["top_overlap"] == pytest.approx(
        top_overlap(genes["r2"], genes["r2_predicted"], 30)
    )
    hits = (genes["driving"] & genes["driving_predicted"]).sum()
    calls = genes["driving"].sum() + genes["driving_predicted"].sum()
    assert values["f_score"] == pytest.approx(2 * hits / calls)
    bounds = result.scores
    assert (bounds["lower"] <= bounds["value"]).all()
    assert (bounds["value"] <= bounds["upper"]).all()
    assert (bounds["lower"] < bounds["upper"]).all()
    assert bounds.loc["pr_auc_integral", "value"] > 3 * bounds.loc["pr_auc_integral", "chance"]


def test_the_mean_scores_as_chance(cohort, measured):
    mean = pd.DataFrame(
        np.tile(cohort.Y.mean(), (len(cohort.Y), 1)), cohort.Y.index, cohort.Y.columns
    )
    result = score(measured, cohort, mean, n_bootstrap=0)
    areas = ["pr_auc_integral", "pr_auc_average_precision", "top_overlap"]
    np.testing.assert_allclose(result.scores["value"][areas], result.scores["chance"][areas])
    assert result.scores.loc["f_score", "value"] == 0
    assert result.scores[["lower", "upper"]].isna().all(axis=None)


@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_huge_and_tiny_units_lose_nothing(cohort, measured, unit):
    X, Y = cohort.X.astype(float), cohort.Y.astype(float)
    found = driving_genes(X * unit, Y * unit)
    assert found["probe"].equals(measured["probe"])
    np.testing.assert_allclose(found["r"], measured["r"], rtol=1e-6)
    scores = [
        score_driving_genes(measured, X, table, k=5, n_bootstrap=0).genes for table in (Y, Y * unit)
    ]
    np.testing.assert_allclose(scores[0]["r2_predicted"], scores[1]["r2_predicted"], rtol=1e-6)


def test_other_samples_may_be_scored(cohort, measured, rng):
    """The predicted samples need not be those of the labels, nor the columns in their order."""
    few = rng.permutation(150)[:60]
    columns = rng.permutation(200)
    first = score(measured, cohort, cohort.Y, n_bootstrap=0).genes
    result = score_driving_genes(
        measured, cohort.X.iloc[few, ::-1], cohort.Y.iloc[few, columns], threshold=0.4, k=30
    )
    assert result.genes.index.equals(first.index)
    assert result.scores.loc["pr_auc_integral", "value"] > 0.8


# --- bad input ---


def test_bad_tables(cohort):
    X, Y = cohort.X.iloc[:, :20], cohort.Y.iloc[:, :10]
    holes = X.copy()
    holes.iloc[2, 4] = np.nan
    with pytest.raises(ValueError, match=f"methylation holds NaN.*'{X.columns[4]}'"):
        driving_genes(holes, Y)
    with pytest.raises(ValueError, match="expression holds NaN or infinity"):
        driving_genes(X, Y.assign(**{Y.columns[3]: np.inf}))
    with pytest.raises(SampleMismatchError, match="methylation and expression hold the same"):
        driving_genes(X, Y[::-1])
    with pytest.raises(SampleMismatchError, match="methylation holds 150 samples and expression 9"):
        driving_genes(X.to_numpy(), Y.to_numpy()[:9])
    with pytest.raises(ValueError, match="at least 3 samples; got 2"):
        driving_genes(X[:2], Y[:2])
    with pytest.raises(ValueError, match="two dimensions"):
        driving_genes(X.to_numpy(), Y.to_numpy()[:, 0])


def test_bad_windows_and_groups(cohort):
    X, Y = cohort.X.iloc[:, :20], cohort.Y.iloc[:, :10]
    places = {"probe_annotation": cohort.probes, "gene_annotation": cohort.genes}
    with pytest.raises(ValueError, match=r"cis_window=1000 needs.*probe_annotation="):
        driving_genes(X, Y, cis_window=1000)
    with pytest.raises(ValueError, match="used with cis_window only"):
        driving_genes(X, Y, **places)
    with pytest.raises(ValueError, match="as DataFrames"):
        driving_genes(X.to_numpy(), Y.to_numpy(), cis_window=1000, **places)
    with pytest.raises(FeatureMismatchError, match="none of the 10 columns of expression"):
        driving_genes(X, Y.add_suffix(".1"), cis_window=1000, **places)
    with pytest.raises(ValueError, match="selection='permutation' only"):
        driving_genes(X, Y, groups=np.zeros(150))
    for groups, error, match in (
        (np.zeros(3), SampleMismatchError, "150 samples.*got 3"),
        (pd.Series(0, index=X.index[::-1]), SampleMismatchError, "in their order"),
        ([None] * 10 + [1] * 140, ValueError, "groups is missing for 10 samples"),
        (np.arange(150), ValueError, "nothing can be permuted"),
    ):
        with pytest.raises(error, match=match):
            driving_genes(X, Y, selection="permutation", groups=groups)


def test_bad_predictions(cohort, measured):
    with pytest.raises(FeatureMismatchError, match="predicted lacks 1 of 200 genes"):
        score(measured, cohort, cohort.Y.iloc[:, 1:])
    with pytest.raises(FeatureMismatchError, match=r"methylation lacks \d+ of \d+ CpGs"):
        score_driving_genes(measured, cohort.X.iloc[:, :700], cohort.Y)
    with pytest.raises(ValueError, match=r"None of 195 genes has r2 > threshold=0.99"):
        score_driving_genes(measured, cohort.X, cohort.Y, threshold=0.99)
    with pytest.raises(ValueError, match="k=1000 exceeds"):
        score_driving_genes(measured, cohort.X, cohort.Y, threshold=0.4, k=1000)
    with pytest.raises(ValueError, match="measured lacks the columns q"):
        score(measured.drop(columns="q"), cohort, cohort.Y)
    with pytest.raises(SampleMismatchError, match="methylation and predicted hold"):
        score(measured, cohort, cohort.Y[::-1])
