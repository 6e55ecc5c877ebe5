import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from omitrans import OmiTransRegressor
from omitrans.baselines import MultiKernelRidgeRegressor
from omitrans.datasets import make_paired_omics
from omitrans.exceptions import (
    FeatureMismatchError,
    LowCoverageWarning,
    SampleMismatchError,
)
from omitrans.pipelines import AlignedTargetRegressor, make_translation_pipeline
from omitrans.preprocessing import ArrayHarmonizer

STEPS = [
    "harmonizer",
    "probe_filter",
    "missing_rate_filter",
    "variance_filter",
    "imputer",
    "location_aligner",
    "regressor",
]


@pytest.fixture
def cohort():
    """Thirty samples of twelve probes with every fault the recipe removes, and four genes."""
    rng = np.random.default_rng(0)
    samples = [f"s{i}" for i in range(30)]
    names = [f"cg{i:02d}" for i in range(10)] + ["ch.1.5F", "rs10"]
    X = pd.DataFrame(rng.random((30, 12)), columns=names, index=samples, dtype=np.float32)
    X.iloc[:2, 0] = np.nan
    X.iloc[2:11, 1] = np.nan
    X["cg02"] = 0.5
    probes = pd.DataFrame(
        {
            "probe_id": names,
            "chromosome": [str(22 - i) for i in range(12)],
            "position": 1,
            "on_epic": [name != "cg03" for name in names],
            "snp_within_5bp": [name == "cg04" for name in names],
            "multi_mapped": [name == "cg05" for name in names],
        }
    )
    genes = pd.DataFrame({"gene_id": ["g3", "g1", "g2"], "chromosome": [3, 1, 2], "start": 7})
    Y = pd.DataFrame(rng.random((30, 3)), columns=["g2", "g3", "g1"], index=samples)
    Y += X[["cg06", "cg07", "cg08"]].to_numpy()
    return X, Y, probes, genes


def test_steps():
    assert list(make_translation_pipeline(Ridge()).named_steps) == STEPS


def test_keeps_the_right_probes_in_order(cohort):
    X, Y, probes, _ = cohort
    model = make_translation_pipeline(Ridge(), probe_annotation=probes).fit(X, Y)
    expected = ["cg09", "cg08", "cg07", "cg06", "cg00"]
    assert model[-1].feature_names_in_.tolist() == expected
    filled = model[:-1].transform(X)
    assert filled.index.equals(X.index)
    assert filled.notna().all().all()


def test_without_a_harmonizer_gaps_become_means(cohort):
    X, Y, _, _ = cohort
    model = make_translation_pipeline(Ridge(), harmonizer=None).fit(X, Y)
    assert model[:-1].transform(X).loc["s0", "cg00"] == pytest.approx(X["cg00"].mean())


def test_the_first_sample_may_have_gaps(cohort):
    """pandas 3 hands out a frame's values read-only; nothing may write into them."""
    X, Y, _, _ = cohort
    X = pd.DataFrame(X.to_numpy(copy=True), X.index, X.columns)  # in one piece, as read from disk
    assert X.iloc[0].isna().any()
    before = X.copy()
    model = make_translation_pipeline(Ridge(), harmonizer=None).fit(X, Y)
    assert np.isfinite(model.predict(X)).all()
    pd.testing.assert_frame_equal(X, before)


def test_statistics_come_from_the_training_samples(cohort):
    X, Y, probes, _ = cohort
    harmonizer = ArrayHarmonizer(missing="mean")
    model = make_translation_pipeline(Ridge(), probe_annotation=probes, harmonizer=harmonizer)
    model.fit(X[:20], Y[:20])
    unseen = X[20:].assign(cg00=np.nan)
    assert_allclose(model[:-1].transform(unseen)["cg00"], X["cg00"][:20].mean(), rtol=1e-6)


def test_predicts_as_the_regressor_alone(cohort):
    X, Y, _, _ = cohort
    model = make_translation_pipeline(Ridge(), harmonizer=ArrayHarmonizer(missing="keep"))
    model.fit(X, Y)
    by_hand = X.drop(columns=["cg01", "cg02", "ch.1.5F", "rs10"])
    by_hand = by_hand.fillna(by_hand.mean())
    expected = Ridge().fit(by_hand, Y).predict(by_hand)
    assert_allclose(model.predict(X), expected, rtol=1e-4)
    assert_allclose(model.predict(X.iloc[[3]]), expected[[3]], rtol=1e-4)


def test_gene_annotation_changes_the_training_order_only(cohort):
    X, Y, probes, genes = cohort
    plain = make_translation_pipeline(Ridge(), probe_annotation=probes).fit(X, Y)
    model = make_translation_pipeline(Ridge(), probe_annotation=probes, gene_annotation=genes)
    model.fit(X, Y)
    assert_allclose(model.predict(X), plain.predict(X), rtol=1e-5)
    assert model[-1].target_names_.tolist() == ["g2", "g3", "g1"]
    assert_allclose(model[-1].regressor_.coef_, plain[-1].coef_[[2, 0, 1]], rtol=1e-4)


def test_gene_annotation_keeps_the_check_of_samples(cohort):
    X, Y, _, genes = cohort
    model = make_translation_pipeline(Ridge(), gene_annotation=genes)
    with pytest.raises(SampleMismatchError, match="another order"):
        model.fit(X, Y[::-1])


def test_skipped_steps(cohort):
    X, Y, _, _ = cohort
    model = make_translation_pipeline(Ridge(), max_missing_rate=None, min_variance=None)
    model.fit(X, Y)
    assert model[-1].n_features_in_ == 10


def test_variance_of_the_paper(cohort):
    X, Y, _, _ = cohort
    X = X * np.linspace(0, 1, 12, dtype=np.float32)
    model = make_translation_pipeline(Ridge(), min_variance=0.05).fit(X, Y)
    kept = X.columns[X.var(ddof=0) > 0.05].drop(["ch.1.5F", "rs10"])
    assert model[-1].feature_names_in_.tolist() == kept.tolist()
    with pytest.raises(ValueError, match=r"No feature in X meets the variance threshold 0\.9"):
        make_translation_pipeline(Ridge(), min_variance=0.9).fit(X, Y)


def test_source_unit(cohort):
    X, Y, _, _ = cohort
    with pytest.raises(ValueError, match=r"lie in \[0, 1\].*M-values"):
        make_translation_pipeline(Ridge()).fit(X * 9 - 5, Y)
    model = make_translation_pipeline(Ridge(), source_unit=None).fit(X * 9 - 5, Y)
    assert np.isfinite(model.predict(X * 9 - 5)).all()


def test_columns_are_found_by_name(cohort):
    X, Y, probes, _ = cohort
    model = make_translation_pipeline(Ridge(), probe_annotation=probes).fit(X, Y)
    assert_allclose(model.predict(X.iloc[:, ::-1]), model.predict(X))
    with pytest.warns(LowCoverageWarning, match="s0"):
        model.predict(X.drop(columns="cg09"))


def test_without_a_harmonizer_other_columns_raise(cohort):
    X, Y, probes, _ = cohort
    model = make_translation_pipeline(Ridge(), probe_annotation=probes, harmonizer=None).fit(X, Y)
    for other in (X.iloc[:, ::-1], X.iloc[:, :-1]):
        with pytest.raises(FeatureMismatchError, match="columns seen in fit"):
            model.predict(other)


def test_arrays(cohort):
    X, Y, _, _ = cohort
    model = make_translation_pipeline(Ridge()).fit(X.to_numpy(), Y.to_numpy())
    assert model.predict(X.to_numpy()).shape == (30, 3)


def test_clone_and_grid_search(cohort):
    X, Y, probes, genes = cohort
    model = make_translation_pipeline(Ridge(), probe_annotation=probes, gene_annotation=genes)
    grid = {
        "probe_filter__drop_snp": [True, False],
        "variance_filter": ["passthrough", model.named_steps["variance_filter"]],
        "regressor__regressor__alpha": [0.1, 10.0],
    }
    search = GridSearchCV(clone(model), grid, cv=3, error_score="raise").fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(X).shape == (30, 3)


def test_default_regressor(monkeypatch):
    class Default(Ridge):
        pass

    monkeypatch.setattr("omitrans.estimators.OmiTransRegressor", Default, raising=False)
    assert type(make_translation_pipeline()[-1]) is Default


def test_import_leaves_torch_alone():
    code = "import sys, omitrans.pipelines; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_wraps_only_with_gene_annotation(cohort):
    genes = cohort[-1]
    assert isinstance(make_translation_pipeline(Ridge())[-1], Ridge)
    wrapped = make_translation_pipeline(Ridge(), gene_annotation=genes)[-1]
    assert isinstance(wrapped, AlignedTargetRegressor)


def test_the_backbone_is_told_where_probes_and_genes_lie():
    data = make_paired_omics(n_samples=60, n_probes=300, n_genes=40, random_state=0)
    places = {"probe_annotation": data.probes, "gene_annotation": data.genes}
    model = make_translation_pipeline(MultiKernelRidgeRegressor(n_selected=0), **places)
    model.fit(data.X, data.Y)
    backbone = model[-1].regressor_
    near = backbone.direct_coef_.tocoo()
    probes = data.probes.set_index("probe_id").loc[backbone.feature_names_in_]
    genes = data.genes.set_index("gene_id").loc[backbone.target_names_]
    assert near.nnz > 10
    for gene, probe in zip(near.row, near.col, strict=True):
        assert probes["chromosome"].iloc[probe] == genes["chromosome"].iloc[gene]
        assert genes["start"].iloc[gene] - 10_000 <= probes["position"].iloc[probe]
        assert probes["position"].iloc[probe] <= genes["end"].iloc[gene] + 10_000


def test_what_the_user_says_of_places_stays():
    data = make_paired_omics(n_samples=60, n_probes=300, n_genes=40, random_state=0)
    places = {"probe_annotation": data.probes, "gene_annotation": data.genes}
    own = MultiKernelRidgeRegressor(probes=data.probes[:100], genes=data.genes, window=5)
    model = make_translation_pipeline(own, **places)
    assert model[-1].regressor is own
    without = make_translation_pipeline(MultiKernelRidgeRegressor(cis=None), **places)
    without.fit(data.X, data.Y)
    assert without[-1].regressor_.direct_variances_.max() == 0


def test_a_backbone_with_settings_of_its_own_is_told_too():
    data = make_paired_omics(n_samples=60, n_probes=300, n_genes=40, random_state=0)
    places = {"probe_annotation": data.probes, "gene_annotation": data.genes}
    for backbone in ("multi-kernel", MultiKernelRidgeRegressor(window=100_000)):
        regressor = OmiTransRegressor(backbone=backbone, speed="fast")
        told = make_translation_pipeline(regressor, **places)[-1].regressor
        assert told.backbone.probes is data.probes
        assert told.backbone.window == (100_000 if backbone != "multi-kernel" else 10_000)
        assert regressor.backbone is backbone
    alone = OmiTransRegressor(backbone=None)
    assert make_translation_pipeline(alone, **places)[-1].regressor is alone
