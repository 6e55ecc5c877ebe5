"""Comparison of imputers: what each sees, what is counted, and what is kept."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import FitFailedWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GroupKFold, ShuffleSplit

from omitrans.baselines import CovariateImputer, GroupMedianImputer, make_imputers
from omitrans.comparison import compare_imputers
from omitrans.comparison._model_comparison import nadeau_bengio
from omitrans.datasets import hide_values, make_expression
from omitrans.exceptions import FeatureMismatchError, SampleMismatchError
from omitrans.metrics import masked_r2_per_feature, masked_rmse

# patients and donors of these tables have several samples; grouping has tests of its own
pytestmark = pytest.mark.filterwarnings("ignore::omitrans.exceptions.PatientGroupsWarning")

COVARIATES = ["tissue", "sex", "cohort", "age"]
SEEN = []


class Spy(TransformerMixin, BaseEstimator):
    """Fills zeros, and keeps what it was given."""

    def fit(self, X, y=None):
        SEEN.append(("fit", X.copy()))
        return self

    def transform(self, X):
        SEEN.append(("transform", X.copy()))
        return X.drop(columns=COVARIATES).fillna(0)


class Failing(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        SEEN.append(("fit", X))
        raise RuntimeError("no idea")

    def transform(self, X):
        return X


class Picky(Spy):
    """Refuses a table with many holes."""

    def transform(self, X):
        if X.isna().to_numpy().mean() > 0.6:
            raise RuntimeError("too many holes")
        return super().transform(X)


class Shy(Spy):
    """Refuses a table with many samples."""

    def transform(self, X):
        if len(X) > 60:
            raise RuntimeError("too many samples")
        return super().transform(X)


@pytest.fixture(scope="module")
def data():
    return make_expression(150, 50, n_tissues=3, n_programmes=4, zero_fraction=0.0, random_state=0)


@pytest.fixture
def imputers():
    return make_imputers(
        ["median", "knn-5", "ridge"],
        categorical_covariates=COVARIATES[:3],
        numeric_covariates=["age"],
        tissue="tissue",
        random_state=0,
    )


@pytest.fixture
def spied():
    SEEN.clear()
    return {"spy": Spy()}


def test_numbers_are_those_of_a_loop(data, imputers):
    donors = data.samples["donor"]
    comparison = compare_imputers(
        imputers,
        data.X,
        covariates=COVARIATES,
        cv=3,
        groups=donors,
        n_masks=2,
        random_state=0,
        return_imputations=True,
    )
    genes = data.expression
    splits = list(GroupKFold(3).split(data.X, groups=donors))
    seeds = np.random.RandomState(0).randint(2**31 - 2, size=2)
    results = comparison.results.set_index(["model", "mask", "fold", "metric"])["value"]
    for (name, _, mask, fold), imputed in comparison.imputations.items():
        train, test = splits[fold]
        holes, hidden = hide_values(data.X, 0.5, exclude=COVARIATES, random_state=int(seeds[mask]))
        expected = clone(imputers[name]).fit(data.X.iloc[train]).transform(holes.iloc[test])
        np.testing.assert_array_equal(imputed, expected)
        truth, hidden = genes.iloc[test].to_numpy(), hidden.iloc[test].to_numpy()
        r2 = masked_r2_per_feature(truth, imputed, hidden)
        numbers = results.sort_index().loc[name, mask, fold]
        assert numbers["rmse"] == pytest.approx(masked_rmse(truth, imputed, hidden))
        assert numbers["mean_r2_per_feature"] == pytest.approx(r2.mean())
        assert numbers["median_r2_per_feature"] == pytest.approx(np.median(r2))
        assert numbers["fraction_r2_per_feature_above"] == pytest.approx((r2 > 0.3).mean())
    assert len(comparison.imputations) == 3 * 2 * 3
    assert set(comparison.per_feature.columns) == {(name, 0.5) for name in imputers}
    assert list(comparison.per_feature.index) == list(genes.columns)
    mean = comparison.summary()["mean_r2_per_feature"]
    assert mean["ridge"] > mean["median"]


def test_inductive_hides_in_the_test_samples_only(data, spied):
    compare_imputers(spied, data.X, covariates=COVARIATES, cv=3, n_masks=1, random_state=0)
    fitted = [table for kind, table in SEEN if kind == "fit"]
    filled = [table for kind, table in SEEN if kind == "transform"]
    assert len(fitted) == len(filled) == 3
    for train, test in zip(fitted, filled, strict=True):
        assert train.notna().all().all()
        genes = test[data.expression.columns]
        assert 0.4 < genes.isna().to_numpy().mean() < 0.6
        pd.testing.assert_frame_equal(test[COVARIATES], data.X.loc[test.index, COVARIATES])
        observed = genes.notna().to_numpy()
        truth = data.expression.loc[test.index].to_numpy()
        np.testing.assert_array_equal(genes.to_numpy()[observed], truth[observed])


def test_whole_training_samples_are_fitted_once_a_fold(data, spied):
    options = {"covariates": COVARIATES, "cv": 3, "n_masks": 2, "random_state": 0}
    compare_imputers(spied, data.X, missing_rates=[0.2, 0.6], **options)
    kinds = [kind for kind, _ in SEEN]
    assert (kinds.count("fit"), kinds.count("transform")) == (3, 12)
    SEEN.clear()
    compare_imputers(spied, data.X, train_missing_rate=0.1, **options)
    assert [kind for kind, _ in SEEN].count("fit") == 6


def test_training_samples_with_holes(data, spied):
    compare_imputers(
        spied,
        data.X,
        covariates=COVARIATES,
        cv=3,
        n_masks=1,
        train_missing_rate=0.2,
        random_state=0,
    )
    for kind, table in SEEN:
        share = table[data.expression.columns].isna().to_numpy().mean()
        assert abs(share - (0.2 if kind == "fit" else 0.5)) < 0.06


def test_in_place_never_sees_what_is_hidden(data, spied):
    comparison = compare_imputers(
        spied, data.X, scenario="in-place", covariates=COVARIATES, n_masks=2, random_state=0
    )
    assert len(SEEN) == 4
    for _, table in SEEN:
        assert len(table) == len(data.X)
        assert 0.4 < table[data.expression.columns].isna().to_numpy().mean() < 0.6
    assert comparison.folds is None
    assert sorted(comparison.results["mask"].unique()) == [0, 1]


def test_all_imputers_get_the_same_holes(data):
    SEEN.clear()
    compare_imputers(
        {"a": Spy(), "b": Spy()}, data.X, covariates=COVARIATES, cv=2, n_masks=2, random_state=0
    )
    tables = [table for kind, table in SEEN if kind == "transform"]
    assert len(tables) == 8
    for one, other in zip(tables[:4], tables[4:], strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert not tables[0].equals(tables[1])  # another mask of the same samples


def test_in_place_number_by_hand():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 6))
    comparison = compare_imputers(
        {"mean": SimpleImputer()}, X, scenario="in-place", n_masks=1, random_state=3
    )
    seed = np.random.RandomState(3).randint(2**31 - 2, size=1)[0]
    holes, hidden = hide_values(X, 0.5, random_state=int(seed))
    filled = SimpleImputer().fit_transform(holes)
    expected = masked_r2_per_feature(X, filled, hidden).mean()
    assert comparison.summary().loc["mean", "mean_r2_per_feature"] == pytest.approx(expected)


def test_several_rates(data, imputers):
    comparison = compare_imputers(
        imputers,
        data.X,
        scenario="in-place",
        covariates=COVARIATES,
        missing_rates=[0.9, 0.1],
        n_masks=2,
        random_state=0,
    )
    assert comparison.missing_rates == [0.1, 0.9]
    easy, hard = (comparison.summary(rate)["mean_r2_per_feature"] for rate in (0.1, 0.9))
    assert easy["ridge"] > hard["ridge"]
    with pytest.raises(ValueError, match="missing_rate must be given"):
        comparison.summary()
    with pytest.raises(ValueError, match="was not compared"):
        comparison.summary(0.5)


def test_within_groups(data, imputers):
    comparison = compare_imputers(
        imputers, data.X, covariates=COVARIATES, group_by="tissue", cv=3, n_masks=1, random_state=0
    )
    table = comparison.per_group
    assert list(table.columns.names) == ["model", "missing_rate", "group"]
    assert set(table.columns.get_level_values("group")) == set(data.X["tissue"])
    # a median of the tissue explains nothing within it
    assert table["median"].median(axis=None) < 0.1
    assert comparison.per_feature["median"].median(axis=None) > 0.2


def test_failures_are_reported(data, imputers):
    with pytest.warns(FitFailedWarning, match="'odd' failed in 3 folds"):
        comparison = compare_imputers(
            {"odd": Failing(), **imputers},
            data.X,
            covariates=COVARIATES,
            cv=3,
            n_masks=1,
            random_state=0,
        )
    assert comparison.summary().loc["odd"].isna().all()
    assert comparison.summary().loc["ridge"].notna().all()
    assert list(comparison.errors.columns) == ["model", "missing_rate", "mask", "fold", "error"]
    assert comparison.per_feature["odd"].isna().all(axis=None)
    assert comparison.per_feature["ridge"].notna().any(axis=None)


def test_a_fit_that_failed_is_not_tried_for_every_mask(data, imputers):
    SEEN.clear()
    with pytest.warns(FitFailedWarning, match="'odd' failed in 6 folds"):
        compare_imputers(
            {"odd": Failing(), **imputers}, data.X, covariates=COVARIATES, cv=2, random_state=0
        )
    assert len(SEEN) == 2


def test_means_over_different_folds_are_not_compared(data, imputers):
    rows = np.arange(150)
    easy, hard = (rows[60:], rows[:60]), (rows[:60], rows[60:])
    models = {"shy": Shy(), "median": imputers["median"]}
    with pytest.warns(FitFailedWarning, match="'shy' failed in 1 folds"):
        comparison = compare_imputers(
            models,
            data.X,
            covariates=COVARIATES,
            group_by="tissue",
            cv=[easy, hard],
            groups=None,
            n_masks=1,
            random_state=0,
        )
    for table in (comparison.summary().T, comparison.per_feature, comparison.per_group):
        assert table["shy"].isna().all(axis=None)
        assert table["median"].notna().any(axis=None)


def test_failures_at_one_rate_stay_there(data, imputers, tmp_path):
    with pytest.warns(FitFailedWarning, match="'picky' failed in 4 folds"):
        comparison = compare_imputers(
            {"picky": Picky(), **imputers},
            data.X,
            covariates=COVARIATES,
            missing_rates=[0.2, 0.8],
            n_masks=2,
            cv=2,
            random_state=0,
        )
    assert comparison.summary(0.2).loc["picky"].notna().all()
    assert comparison.summary(0.8).loc["picky"].isna().all()
    assert comparison.per_feature["picky", 0.2].notna().any()
    assert comparison.per_feature["picky", 0.8].isna().all()
    assert comparison.at(0.2).errors.empty
    assert list(comparison.at(0.8).errors["fold"]) == [0, 2, 1, 3]
    for rate, told in ((0.2, False), (0.8, True)):
        page = comparison.to_html(tmp_path / "page.html", missing_rate=rate).read_text("utf-8")
        assert ("too many holes" in page) is told


def test_covariates_in_the_result_are_refused(data):
    with pytest.raises(ValueError, match=r"expression columns only.*CovariateImputer"):
        compare_imputers(
            {"all": SimpleImputer(strategy="most_frequent")},
            data.X,
            covariates=COVARIATES,
            cv=2,
            n_masks=1,
        )


@pytest.mark.slow
def test_tests_average_masks_of_a_fold(data, imputers):
    comparison = compare_imputers(
        imputers, data.X, covariates=COVARIATES, cv=4, n_masks=3, random_state=0
    )
    table = comparison.tests(baseline="median")
    assert list(table["model"]) == ["knn-5", "ridge"]
    rows = comparison.results.query("metric == 'mean_r2_per_feature'")
    folds = rows.pivot_table(index="model", columns="fold", values="value", aggfunc="mean")
    difference = folds.loc["ridge"] - folds.loc["median"]
    assert table["difference"].iloc[1] == pytest.approx(difference.mean())
    assert table["p_value"].iloc[1] < 0.05
    in_place = compare_imputers(
        imputers, data.X, scenario="in-place", covariates=COVARIATES, random_state=0
    )
    with pytest.raises(ValueError, match="at least 2 folds"):
        in_place.tests()


def test_the_report_tests_over_folds_too(data, imputers, tmp_path):
    imputers = {name: imputers[name] for name in ("median", "knn-5")}
    options = {"covariates": COVARIATES, "groups": None, "random_state": 0}
    cv = ShuffleSplit(3, test_size=0.5, random_state=0)
    comparison = compare_imputers(imputers, data.X, cv=cv, n_masks=4, **options)
    metric = "median_r2_per_feature"
    rows = comparison.results.query("metric == @metric")
    folds = rows.pivot_table(index="model", columns="fold", values="value", aggfunc="mean")
    difference = (folds.loc["median"] - folds.loc["knn-5"]).to_numpy()
    expected = comparison.tests(metric)
    assert expected["p_value"][0] == pytest.approx(nadeau_bengio(difference, 1.0)[1])
    pd.testing.assert_frame_equal(comparison.at().tests(metric), expected)
    page = comparison.to_html(tmp_path / "page.html").read_text("utf-8")
    assert all(f"{p_value:.4f}" in page for p_value in expected["p_value"])
    in_place = compare_imputers(imputers, data.X, scenario="in-place", n_masks=4, **options)
    page = in_place.to_html(tmp_path / "page.html").read_text("utf-8")
    assert "No test: A test needs at least 2 folds" in page


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_one_sample_has_errors_but_no_r2(data, imputers):
    comparison = compare_imputers(
        imputers,
        data.X,
        covariates=np.array(COVARIATES),
        n_masks=1,
        cv=[(np.arange(1, 150), np.array([0]))],
        groups=None,
        random_state=0,
    )
    summary = comparison.summary()
    assert summary["rmse"].notna().all()
    assert summary.drop(columns="rmse").isna().all(axis=None)
    assert comparison.errors.empty


def test_cache_is_read_and_tells_masks_apart(data, tmp_path):
    SEEN.clear()
    options = {"covariates": COVARIATES, "cv": 2, "n_masks": 1, "group_by": "tissue"}
    options |= {"cache_dir": tmp_path, "return_imputations": True}
    first = compare_imputers({"spy": Spy()}, data.X, random_state=0, **options)
    n_calls = len(SEEN)
    again = compare_imputers({"spy": Spy()}, data.X, random_state=0, **options)
    assert len(SEEN) == n_calls
    pd.testing.assert_frame_equal(again.results, first.results)
    pd.testing.assert_frame_equal(again.per_group, first.per_group)
    assert all(
        np.array_equal(again.imputations[k], first.imputations[k]) for k in first.imputations
    )
    compare_imputers({"spy": Spy()}, data.X, random_state=1, **options)
    assert len(SEEN) == 2 * n_calls


def test_parallel_is_serial(data, imputers):
    options = {"covariates": COVARIATES, "cv": 2, "n_masks": 1, "random_state": 0}
    serial = compare_imputers(imputers, data.X, **options).summary()
    parallel = compare_imputers(imputers, data.X, n_jobs=2, **options).summary()
    pd.testing.assert_frame_equal(serial, parallel)


def test_report(data, imputers, tmp_path):
    comparison = compare_imputers(
        imputers, data.X, covariates=COVARIATES, cv=3, n_masks=1, random_state=0
    )
    page = comparison.to_html(tmp_path / "imputers.html").read_text(encoding="utf-8")
    assert "Comparison of imputers" in page
    assert all(name in page for name in imputers)
    assert "Mean R² per feature" in page


def test_bad_input(data):
    models = {"median": GroupMedianImputer("tissue", ignored_columns=COVARIATES[1:])}
    with pytest.raises(FeatureMismatchError, match="covariates names columns that X does not have"):
        compare_imputers(models, data.X, covariates=["organ"])
    with pytest.raises(FeatureMismatchError, match="group_by='organ' is no column"):
        compare_imputers(models, data.X, covariates=COVARIATES, group_by="organ")
    with pytest.raises(ValueError, match="different numbers between 0 and 1"):
        compare_imputers(models, data.X, covariates=COVARIATES, missing_rates=[0.5, 1.0])
    with pytest.raises(ValueError, match="X is an array"):
        compare_imputers(models, np.ones((5, 3)), covariates=["tissue"])
    with pytest.raises(TypeError, match="fit and transform"):
        compare_imputers({"a": GroupMedianImputer}, data.X)
    with pytest.raises(ValueError, match="imputers is empty"):
        compare_imputers({}, data.X)
    with pytest.raises(SampleMismatchError, match="X and groups"):
        compare_imputers(models, data.X, groups=data.samples["donor"].iloc[::-1])
    assert CovariateImputer().imputer is None
