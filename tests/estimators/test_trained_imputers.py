"""What PMIImputer and GAINImputer promise beyond scikit-learn's own checks."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.compose import make_column_selector
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import omitrans
from omitrans import GAINImputer, PMIImputer
from omitrans.exceptions import TrainingInterrupted, UnknownCategoryWarning
from omitrans.networks.imputers import MaskedMLP

COVARIATES = {"categorical_covariates": ["tissue", "sex"], "numeric_covariates": ["age"]}
both = pytest.mark.parametrize("cls", [PMIImputer, GAINImputer])


def make_table(n_samples=120, n_genes=12, seed=0):
    """Expression that two programmes and the tissue explain, with covariates among the genes."""
    rng = np.random.default_rng(seed)
    tissue = rng.choice(["Lung", "Liver", "Blood"], n_samples)
    biology = np.random.default_rng(1)
    loadings = biology.normal(size=(2, n_genes))
    means = dict(zip(["Lung", "Liver", "Blood"], biology.normal(5, 2, (3, n_genes)), strict=True))
    values = np.stack([means[t] for t in tissue]) + rng.normal(size=(n_samples, 2)) @ loadings
    values += 0.1 * rng.normal(size=values.shape)
    frame = pd.DataFrame(
        values.astype(np.float32), columns=[f"ENSG{i:02d}" for i in range(n_genes)]
    )
    frame.insert(0, "tissue", tissue)
    frame.insert(4, "age", rng.integers(20, 80, n_samples))
    frame["sex"] = rng.choice(["female", "male"], n_samples)
    frame.index = [f"GTEX-{i:04d}" for i in range(n_samples)]
    return frame


def genes_of(frame):
    return frame.filter(like="ENSG")


def with_holes(frame, rate=0.5, seed=0):
    hidden = np.random.default_rng(seed).random(genes_of(frame).shape) < rate
    holes = frame.copy()
    holes[genes_of(frame).columns] = genes_of(frame).mask(hidden)
    return holes, hidden


def quick(cls, **params):
    options = {
        "hidden_layer_sizes": (32,),
        "max_epochs": 8,
        "batch_size": 32,
        "random_state": 0,
        **params,
    }
    return cls(**options)


@pytest.fixture
def table():
    return make_table()


# --- it imputes ---


# GAIN learns to reproduce what it sees: a wide layer would only copy it (section 5 of the paper)
WIDTHS = {PMIImputer: (128,), GAINImputer: (16,)}


@both
@pytest.mark.parametrize(
    "scenario", ["inductive", pytest.param("in-place", marks=pytest.mark.slow)]
)
def test_learns(cls, scenario):
    whole = make_table(400, n_genes=60)
    new = whole if scenario == "in-place" else make_table(100, n_genes=60, seed=7)
    holes, hidden = with_holes(new)
    options = {"max_epochs": 200, "hidden_layer_sizes": WIDTHS[cls], "lr": 3e-3, "dropout": 0.1}
    imputer = quick(cls, **COVARIATES, **options)
    filled = imputer.fit(holes if scenario == "in-place" else whole).transform(holes)
    error = ((filled - genes_of(new).to_numpy())[hidden] ** 2).mean()
    values = genes_of(new)
    by_tissue = values.groupby(new["tissue"]).transform("mean")
    within = ((values - by_tissue).to_numpy() ** 2).mean()
    assert error < 0.3 * within  # of what knowing the tissue leaves


@pytest.mark.slow
def test_covariates_alone_impute_an_empty_sample():
    whole = make_table(400)
    options = {"max_epochs": 150, "observed_rate": (0.0, 0.5), "lr": 3e-3}
    imputer = quick(PMIImputer, **COVARIATES, **options).fit(whole)
    empty = whole.iloc[:40].copy()
    empty[genes_of(whole).columns] = np.float32(np.nan)
    filled = imputer.transform(empty)
    means = genes_of(whole).groupby(whole["tissue"]).mean()
    expected = means.loc[empty["tissue"]].to_numpy()
    spread = genes_of(whole).std().to_numpy()
    assert (np.abs(filled - expected) / spread).mean() < 0.2


def test_adversarial_training_runs_and_is_another_model(table):
    alone = quick(GAINImputer, **COVARIATES).fit(table)
    with_discriminator = quick(GAINImputer, **COVARIATES, adversarial_weight=1.0).fit(table)
    losses = {"train_reconstruction", "train_adversarial", "train_discriminator"}
    assert losses <= set(with_discriminator.history_.columns)
    assert not losses <= set(alone.history_.columns)


def test_hyperparameters_reach_both_networks(table):
    imputer = quick(
        GAINImputer,
        **COVARIATES,
        hidden_layer_sizes=(17, 11),
        dropout=0.3,
        adversarial_weight=0.5,
        reconstruction_weight=7.0,
        hint_rate=(0.1, 0.2),
        observed_rate=(0.4, 0.6),
        discriminator_params={"hidden_layer_sizes": (13,), "dropout": 0.1},
        discriminator_lr=1e-5,
        lr=2e-3,
        batch_size=16,
        max_epochs=2,
    ).fit(table)
    net = imputer.net_
    imputing, judging = net.module_, net.discriminator_
    assert isinstance(imputing, MaskedMLP)
    assert (imputing.output.in_features, imputing.output.out_features) == (11, 12)
    assert imputing.from_profiles[0].out_features == 17
    assert len(imputing.from_profiles) == 3
    assert judging.from_profiles[0].out_features == 13
    assert [layer.p for layer in imputing.hidden if hasattr(layer, "p")] == [0.3, 0.3]
    assert [layer.p for layer in judging.hidden if hasattr(layer, "p")] == [0.1]
    assert [e.weight.shape for e in imputing.covariates.embeddings] == [(4, 2), (3, 2)]
    assert (net.adversarial_weight, net.reconstruction_weight) == (0.5, 7.0)
    assert (net.hint_rate, net.observed_rate) == ((0.1, 0.2), (0.4, 0.6))
    assert (net.lr, net.batch_size) == (2e-3, 16)
    assert net.get_params()["discriminator_optimizer__lr"] == 1e-5


@both
def test_every_training_parameter_changes_the_result(cls, table):
    """A parameter that never reaches the net would leave the answer as it was."""
    holes, _ = with_holes(table)
    base = quick(cls, **COVARIATES, early_stopping=False).fit(table).transform(holes)
    for change in (
        {"hidden_layer_sizes": (16,)},
        {"dropout": 0.2},
        {"norm": "batch"},
        {"observed_rate": (0.2, 0.3)},
        {"scaling": "none"},
        {"lr": 1e-2},
        {"alpha": 1.0},
        {"batch_size": 16},
        {"max_epochs": 9},
        {"decay_epochs": 5},
        {"early_stopping": True},
        {"random_state": 1},
    ):
        params = {"early_stopping": False, **COVARIATES, **change}
        other = quick(cls, **params).fit(table).transform(holes)
        assert not np.array_equal(other, base), change


# --- tables in, tables out ---


@both
def test_frames_keep_samples_and_genes(cls, table):
    holes, _ = with_holes(table)
    imputer = quick(cls, **COVARIATES).set_output(transform="pandas").fit(table)
    filled = imputer.transform(holes)
    assert list(filled.columns) == list(genes_of(table).columns)
    assert list(filled.index) == list(table.index)
    assert list(imputer.get_feature_names_out()) == list(filled.columns)
    assert (filled.dtypes == np.float32).all()


@both
def test_frames_may_be_asked_for_everywhere(cls, table):
    imputer = quick(cls, **COVARIATES)
    arrays = imputer.fit(table).transform(table)
    with config_context(transform_output="pandas"):
        frames = quick(cls, **COVARIATES).fit(table).transform(table)
    assert list(frames.columns) == list(genes_of(table).columns)
    np.testing.assert_array_equal(frames.to_numpy(), arrays)


@both
def test_observed_values_are_untouched(cls, table):
    holes, hidden = with_holes(table)
    filled = quick(cls, **COVARIATES).fit(holes).transform(holes)
    np.testing.assert_array_equal(filled[~hidden], genes_of(table).to_numpy()[~hidden])
    assert np.isfinite(filled).all()


@both
def test_a_sample_alone_is_as_among_others(cls, table):
    holes, _ = with_holes(table)
    imputer = quick(cls, **COVARIATES).fit(table)
    together = imputer.transform(holes)
    for i in (0, 3, 62, 63, 64, 119):
        np.testing.assert_array_equal(imputer.transform(holes.iloc[[i]])[0], together[i])


@both
def test_transform_leaves_the_imputer_as_it_was(cls, table):
    holes, _ = with_holes(table)
    imputer = quick(cls, **COVARIATES).fit(table)
    before = pickle.dumps(imputer)
    imputer.transform(holes)
    imputer.transform_samples(holes, 2, random_state=0)
    assert pickle.dumps(imputer) == before


@both
def test_columns_by_position_and_by_selector(cls, table):
    by_name = quick(cls, **COVARIATES).fit_transform(table)
    positions = [table.columns.get_loc(name) for name in ("tissue", "sex")]
    array = table.to_numpy(dtype=object)
    by_position = quick(
        cls, categorical_covariates=positions, numeric_covariates=table.columns.get_loc("age")
    ).fit(array)
    np.testing.assert_array_equal(by_position.transform(array), by_name)
    assert by_position.get_feature_names_out()[0] == "x1"
    selected = quick(
        cls,
        categorical_covariates=make_column_selector("tissue|sex"),
        numeric_covariates=make_column_selector("age"),
    ).fit(table)
    assert list(selected.get_feature_names_out()) == list(genes_of(table).columns)


@both
def test_plain_arrays_without_covariates(cls, table):
    array = genes_of(table).to_numpy()
    filled = quick(cls).fit_transform(array)
    np.testing.assert_array_equal(filled, array)
    assert list(quick(cls).fit(array).get_feature_names_out()[:2]) == ["x0", "x1"]


@both
def test_integer_tables(cls, table):
    counts = genes_of(table).round().astype(int)
    filled = quick(cls).fit(counts).transform(counts.astype(float).mask(counts > 6))
    assert np.isfinite(filled).all()


@both
def test_indicator(cls, table):
    holes, hidden = with_holes(table)
    imputer = quick(cls, **COVARIATES, add_indicator=True).set_output(transform="pandas")
    filled = imputer.fit(holes).transform(holes)
    n = genes_of(table).shape[1]
    np.testing.assert_array_equal(filled.iloc[:, n:].to_numpy().astype(bool), hidden)
    assert filled.columns[n] == "missingindicator_ENSG00"


@both
@pytest.mark.parametrize("way", ["pickle", "omitrans"])
def test_stored_with_covariates(cls, way, table, tmp_path):
    holes, _ = with_holes(table)
    imputer = quick(cls, **COVARIATES).fit(table)
    if way == "pickle":
        again = pickle.loads(pickle.dumps(imputer))
    else:
        omitrans.save(imputer, tmp_path / "model.omitrans")
        again = omitrans.load(tmp_path / "model.omitrans")
    np.testing.assert_array_equal(again.transform(holes), imputer.transform(holes))


@both
def test_in_a_pipeline_and_a_grid_search(cls, table):
    holes, _ = with_holes(table)
    y = genes_of(table)["ENSG00"]
    pipeline = make_pipeline(quick(cls, **COVARIATES, max_epochs=2), Ridge())
    grid = {f"{cls.__name__.lower()}__hidden_layer_sizes": [(8,), (16,)]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(holes, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@both
def test_a_training_goes_on_from_its_checkpoint(cls, table, tmp_path):
    holes, _ = with_holes(table)
    options = {**COVARIATES, "checkpoint_dir": tmp_path, "checkpoint_every": 4}
    whole = quick(cls, **COVARIATES).fit(holes)
    quick(cls, **options).fit(holes)
    assert len(list(tmp_path.glob("*.checkpoint"))) == 1
    resumed = quick(cls, **options, resume=True).fit(holes)
    np.testing.assert_array_equal(resumed.transform(holes), whole.transform(holes))


@both
def test_streaming_gives_the_same_imputer(cls, table):
    holes, _ = with_holes(table)
    resident, streamed = (
        quick(cls, **COVARIATES, data_location=location).fit(holes).transform(holes)
        for location in ("device", "host")
    )
    np.testing.assert_array_equal(streamed, resident)


@both
def test_progress_is_shown_on_request(cls, table, capsys):
    quick(cls, **COVARIATES, max_epochs=2, verbose=1).fit(table)
    assert "valid_reconstruction" in capsys.readouterr().err


# --- covariates ---


@both
def test_unknown_category_is_reported_and_imputed(cls, table):
    holes, _ = with_holes(table)
    imputer = quick(cls, **COVARIATES).fit(table)
    odd = holes.iloc[:5].copy()
    odd.loc[odd.index[:2], "tissue"] = ["Spleen", "Testis"]
    with pytest.warns(UnknownCategoryWarning, match=r"'tissue' holds 2 .*Spleen, Testis.* 2 of 5"):
        filled = imputer.transform(odd)
    assert np.isfinite(filled).all()
    weight = imputer.net_.module_.covariates.embeddings[0].weight.detach().numpy()
    np.testing.assert_allclose(weight[0], weight[1:].mean(0), rtol=1e-5, atol=1e-7)


@both
def test_missing_covariates_count_as_unknown_and_mean(cls, table):
    holes, _ = with_holes(table)
    gaps = table.copy()
    gaps.loc[gaps.index[::3], "tissue"] = None
    gaps["age"] = gaps["age"].astype(float).where(gaps["age"] > 30)
    imputer = quick(cls, **COVARIATES).fit(gaps)
    lacking = holes.copy()
    lacking["tissue"], lacking["age"] = None, np.nan
    assert np.isfinite(imputer.transform(lacking)).all()


@both
def test_category_embedding(cls, table):
    imputer = quick(cls, **COVARIATES).fit(table)
    embedding = imputer.category_embedding("tissue")
    assert list(embedding.index) == ["Blood", "Liver", "Lung"]
    assert embedding.shape == (3, 2)
    with pytest.raises(ValueError, match=r"covariate='age' is none .*'tissue', 'sex'"):
        imputer.category_embedding("age")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"categorical_covariates": ["organ"]}, "names columns that X does not have"),
        ({"categorical_covariates": ["tissue", "tissue"]}, "listed twice: tissue"),
        (
            {"categorical_covariates": ["tissue", "sex", "age"], "numeric_covariates": ["age"]},
            "listed twice: age",
        ),
        ({"categorical_covariates": ["tissue"]}, r"1 columns of text .*first: sex"),
        ({"numeric_covariates": ["tissue"], "categorical_covariates": ["sex"]}, "of text where a"),
        ({"categorical_covariates": slice(None)}, "no expression to impute"),
    ],
)
def test_wrong_covariates(params, message, table):
    with pytest.raises(ValueError, match=message):
        quick(PMIImputer, **params).fit(table)


def test_a_numeric_covariate_without_values(table):
    table["age"] = np.nan
    with pytest.raises(ValueError, match=r"hold no value at all \(age\)"):
        quick(PMIImputer, **COVARIATES).fit(table)


# --- several draws ---


@both
def test_draws_differ_where_values_are_missing(cls, table):
    holes, hidden = with_holes(table)
    imputer = quick(cls, **COVARIATES, dropout=0.3).fit(table)
    draws = imputer.transform_samples(holes, 3, random_state=0)
    assert [list(draw.columns) for draw in draws] == [list(genes_of(table).columns)] * 3
    stacked = np.stack(draws)
    spread = np.ptp(stacked, axis=0)
    assert (spread[hidden] > 0).mean() > 0.99
    assert (spread[~hidden] == 0).all()
    again = imputer.transform_samples(holes, 3, random_state=0)
    np.testing.assert_array_equal(stacked, np.stack(again))


@pytest.mark.slow
def test_draws_spread_as_the_errors_do():
    whole, new = make_table(400), make_table(150, seed=5)
    holes, hidden = with_holes(new)
    imputer = quick(PMIImputer, **COVARIATES, max_epochs=120, lr=3e-3).fit(whole)
    draws = np.stack(imputer.transform_samples(holes, 40, random_state=0))
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    truth = genes_of(new).to_numpy()
    covered = ((truth >= low) & (truth <= high))[hidden].mean()
    assert 0.8 < covered < 0.98


def test_nothing_random_is_refused(table):
    imputer = quick(PMIImputer, **COVARIATES, dropout=0.0).fit(table)
    with pytest.raises(ValueError, match="residual=False needs a network that draws"):
        imputer.transform_samples(table, residual=False)
    with pytest.raises(ValueError, match="n_draws"):
        imputer.transform_samples(table, 0)


# --- bad input ---


@both
def test_a_gene_without_values_is_named(cls, table):
    table["ENSG03"] = np.float32(np.nan)
    with pytest.raises(ValueError, match=r"1 of 12 genes hold no value at all \(ENSG03\)"):
        quick(cls, **COVARIATES).fit(table)


@both
def test_an_empty_sample_in_fit_is_harmless(cls, table):
    holes, _ = with_holes(table)
    holes.loc[holes.index[3], genes_of(table).columns] = np.nan
    assert np.isfinite(quick(cls, **COVARIATES).fit_transform(holes)).all()


@both
def test_a_constant_gene_is_filled_with_its_value(cls, table):
    table["ENSG05"] = np.float32(4.0)
    holes, _ = with_holes(table)
    filled = quick(cls, **COVARIATES).fit(table).transform(holes)
    assert (filled[:, list(genes_of(table).columns).index("ENSG05")] == 4.0).all()


@both
def test_infinite_values_are_refused(cls, table):
    imputer = quick(cls, **COVARIATES).fit(table)
    table.iloc[0, 1] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        imputer.transform(table)
    with pytest.raises(ValueError, match="infinity"):
        quick(cls, **COVARIATES).fit(table)


@both
def test_a_gene_absent_in_transform_is_named(cls, table):
    imputer = quick(cls, **COVARIATES).fit(table)
    with pytest.raises(ValueError, match="ENSG07"):
        imputer.transform(table.drop(columns="ENSG07"))
    # the cure that the message gives
    filled = imputer.transform(table.drop(columns="ENSG07").reindex(columns=table.columns))
    assert np.isfinite(filled).all()


@both
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"observed_rate": (0.9, 0.5)}, "0 <= alpha <= beta <= 1"),
        ({"observed_rate": (0.5,)}, "must be two numbers"),
        ({"observed_rate": ("a", 1)}, "must be two numbers"),
        ({"observed_rate": 0.5}, "observed_rate"),
        ({"hidden_layer_sizes": ()}, "is empty"),
        ({"hidden_layer_sizes": (0,)}, "at least 1"),
        ({"dropout": 1.0}, "dropout"),
        ({"norm": "layer"}, "norm"),
        ({"decay_epochs": 99}, "cannot exceed it"),
    ],
)
def test_wrong_parameters(cls, params, message, table):
    with pytest.raises(ValueError, match=message):
        quick(cls, **{**COVARIATES, **params}).fit(table)


def test_gain_needs_something_to_learn_from(table):
    with pytest.raises(ValueError, match="nothing to learn from"):
        quick(GAINImputer, **COVARIATES, reconstruction_weight=0).fit(table)
    with pytest.raises(ValueError, match="hint_rate"):
        quick(GAINImputer, **COVARIATES, hint_rate=(1, 0)).fit(table)


@both
def test_duplicated_genes_and_empty_tables(cls, table):
    twice = pd.concat([table, table[["ENSG01"]]], axis=1)
    with pytest.raises(ValueError, match=r"1 duplicated ids \(ENSG01\)"):
        quick(cls, **COVARIATES).fit(twice)
    with pytest.raises(ValueError, match="0 sample"):
        quick(cls, **COVARIATES).fit(table.iloc[:0])
    with pytest.raises(ValueError, match="0 feature"):
        quick(cls).fit(table.iloc[:, :0])


@both
def test_one_sample_is_too_few(cls, table):
    with pytest.raises(ValueError, match="1 sample"):
        quick(cls, **COVARIATES).fit(table.iloc[:1])


@both
def test_ctrl_c_keeps_what_was_learned(cls, table, monkeypatch):
    step, calls = MaskedMLP.forward, []

    def interrupted(self, *args):
        calls.append(None)
        if len(calls) == 40:
            raise KeyboardInterrupt
        return step(self, *args)

    monkeypatch.setattr(MaskedMLP, "forward", interrupted)
    with pytest.warns(TrainingInterrupted, match="interrupted in epoch"):
        imputer = quick(cls, **COVARIATES, max_epochs=100).fit(table)
    assert np.isfinite(imputer.transform(with_holes(table)[0])).all()


# --- presets ---


@pytest.mark.parametrize(
    ("cls", "name", "expected"),
    [
        (PMIImputer, "paper-inductive", ((3072,), 0.2, (0.5, 0.5))),
        (PMIImputer, "paper-in-place", ((1366, 1366), 0.0, (0.5, 0.9))),
        (PMIImputer, "paper-inductive-pathway", ((1531, 1531), 0.2, (0.5, 0.5))),
        (PMIImputer, "paper-in-place-pathway", ((1383, 1383, 1383), 0.0, (0.6, 0.9))),
        (PMIImputer, "code-in-place", ((1366, 1366), 0.0, (0.5, 0.5))),
        (PMIImputer, "code-in-place-pathway", ((1383, 1383, 1383), 0.0, (0.5, 0.6))),
        (GAINImputer, "paper-inductive", ((1902,) * 4, 0.2, (0.5, 0.5))),
        (GAINImputer, "paper-in-place", ((296,) * 3, 0.0, (1.0, 1.0))),
        (GAINImputer, "paper-mse-in-place", ((2403,), 0.0, (1.0, 1.0))),
        (GAINImputer, "paper-inductive-pathway", ((54,) * 3, 0.0, (0.5, 0.5))),
        (GAINImputer, "paper-in-place-pathway", ((296,) * 3, 0.4, (1.0, 1.0))),
    ],
)
def test_presets_are_the_published_settings(cls, name, expected):
    imputer = cls.from_preset(name)
    assert (imputer.hidden_layer_sizes, imputer.dropout, imputer.observed_rate) == expected
    assert not imputer.restore_best


def test_presets_of_gain_name_the_weights():
    pathway = GAINImputer.from_preset("paper-inductive-pathway")
    assert (pathway.reconstruction_weight, pathway.adversarial_weight) == (10.0, 1.0)
    assert GAINImputer.from_preset("paper-mse-in-place").adversarial_weight == 0.0
    assert GAINImputer.from_preset("paper-in-place", lr=5e-4).lr == 5e-4


@both
def test_presets_train(cls, table):
    for name in ("paper-inductive-pathway", "paper-in-place-pathway"):
        imputer = cls.from_preset(name, **COVARIATES, max_epochs=1, random_state=0)
        assert np.isfinite(imputer.fit_transform(with_holes(table)[0])).all()


@both
def test_unknown_preset(cls):
    with pytest.raises(ValueError, match=r"Unknown preset 'paper'. Available: .*paper-in-place"):
        cls.from_preset("paper")


@both
def test_last_or_best_weights(cls, table):
    options = {**COVARIATES, "max_epochs": 40, "lr": 3e-2, "n_iter_no_change": 5}
    best = quick(cls, **options).fit(table)
    last = quick(cls, **options, restore_best=False).fit(table)
    assert best.n_iter_ == last.n_iter_ > best.best_epoch_
    holes, _ = with_holes(table)
    assert not np.array_equal(best.transform(holes), last.transform(holes))
