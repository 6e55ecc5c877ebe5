"""Finished folds on disk."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from omitrans import TDimputeRegressor, save
from omitrans.comparison import compare_models
from omitrans.metrics import RECONSTRUCTION_SCORERS

FITS = []


class Counting(RegressorMixin, BaseEstimator):
    """Ridge that notes every fit."""

    def __init__(self, alpha=1.0, fail_in=None):
        self.alpha = alpha
        self.fail_in = fail_in

    def fit(self, X, y):
        FITS.append(self.alpha)
        if len(FITS) == self.fail_in:
            raise KeyboardInterrupt
        self.model_ = Ridge(alpha=self.alpha).fit(X, y)
        return self

    def predict(self, X):
        return self.model_.predict(X)


class Failing(Counting):
    def fit(self, X, y):
        FITS.append(self.alpha)
        raise ArithmeticError("no luck")


@pytest.fixture
def tables():
    FITS.clear()
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(40, 6)), columns=[f"cg{i}" for i in range(6)])
    Y = pd.DataFrame(X.to_numpy() @ rng.normal(size=(6, 3)) + rng.normal(size=(40, 3)))
    return X, Y.add_prefix("gene")


def values(comparison):
    rows = comparison.results[~comparison.results["metric"].str.contains("seconds|memory")]
    return rows["value"].to_numpy()


def test_second_call_fits_nothing_and_says_the_same(tables, tmp_path):
    models = {"a": Counting(), "b": Counting(alpha=5.0)}
    options = {"cv": 4, "cache_dir": tmp_path / "cache", "return_predictions": True}
    first = compare_models(models, *tables, **options)
    assert len(FITS) == 8
    second = compare_models(models, *tables, **options)
    assert len(FITS) == 8
    pd.testing.assert_frame_equal(first.results, second.results)
    for name in models:
        pd.testing.assert_frame_equal(first.predictions[name], second.predictions[name])


def test_goes_on_after_ctrl_c(tables, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        compare_models({"a": Counting(fail_in=3)}, *tables, cv=5, cache_dir=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    FITS.extend([None] * 10)  # so that it does not fail again
    n_before = len(FITS)
    found = compare_models({"a": Counting(fail_in=3)}, *tables, cv=5, cache_dir=tmp_path)
    assert len(FITS) - n_before == 3
    assert_array_equal(values(found), values(compare_models({"a": Counting()}, *tables, cv=5)))


def change_parameter(models, tables, options):
    models["a"].set_params(alpha=2.0)


def change_value(models, tables, options):
    tables[0].iloc[0, 0] += 1e-9


def change_name(models, tables, options):
    tables[1].columns = ["one", "two", "three"]


def change_split(models, tables, options):
    options["cv"] = 3


def change_scorers(models, tables, options):
    options["scorers"] = {"r2": "r2"}


def change_predictions(models, tables, options):
    options["return_predictions"] = True


@pytest.mark.parametrize(
    "change",
    [
        change_parameter,
        change_value,
        change_name,
        change_split,
        change_scorers,
        change_predictions,
    ],
)
def test_any_change_fits_anew(tables, tmp_path, change):
    models, options = {"a": Counting()}, {"cv": 4, "cache_dir": tmp_path}
    compare_models(models, *tables, **options)
    change(models, tables, options)
    n_before = len(FITS)
    compare_models(models, *tables, **options)
    assert len(FITS) - n_before == options["cv"]


def test_renamed_models_are_recognised(tables, tmp_path):
    compare_models({"a": Counting()}, *tables, cv=3, cache_dir=tmp_path)
    compare_models({"another": Counting()}, *tables, cv=3, cache_dir=tmp_path)
    assert len(FITS) == 3


def test_failures_are_tried_again(tables, tmp_path):
    models = {"works": Ridge(), "fails": Failing()}
    for _ in range(2):
        with pytest.warns(FitFailedWarning, match="no luck"):
            compare_models(models, *tables, cv=3, cache_dir=tmp_path)
    assert len(FITS) == 6


def test_damaged_entry_is_computed_again(tables, tmp_path):
    first = compare_models({"a": Counting()}, *tables, cv=3, cache_dir=tmp_path)
    broken, empty, _ = sorted(tmp_path.iterdir())
    broken.write_bytes(broken.read_bytes()[:-40])
    empty.write_bytes(b"")
    with pytest.warns(UserWarning, match="is damaged .* computed again") as caught:
        second = compare_models({"a": Counting()}, *tables, cv=3, cache_dir=tmp_path)
    assert len(caught) == 2
    assert len(FITS) == 5
    assert_array_equal(values(first), values(second))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compare_models({"a": Counting()}, *tables, cv=3, cache_dir=tmp_path)
    assert len(FITS) == 5


def test_entries_hold_no_code(tables, tmp_path):
    compare_models({"a": Counting()}, *tables, cv=3, cache_dir=tmp_path)
    for path in tmp_path.iterdir():
        with np.load(path, allow_pickle=False) as stored:
            assert {"names", "values"} <= set(stored)


def test_full_disk_does_not_end_the_comparison(tables, tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.warns(UserWarning, match="3 folds could not be written .*No space left"):
        found = compare_models({"a": Counting()}, *tables, cv=3, cache_dir=tmp_path)
    assert np.isfinite(values(found)).all()
    assert not list(tmp_path.iterdir())


def test_unrecognisable_parameter_is_named(tables, tmp_path):
    model = make_pipeline(
        StandardScaler(), TransformedTargetRegressor(Ridge(), func=lambda y: y, inverse_func=abs)
    )
    with pytest.raises(
        ValueError, match=r"models\['odd'\]\.transformedtargetregressor__func=<function .*lambda"
    ):
        compare_models({"odd": model}, *tables, cv=3, cache_dir=tmp_path)


def test_unrecognisable_scorer_is_named(tables, tmp_path):
    with pytest.raises(ValueError, match=r"scorers=.*lambda"):
        compare_models(
            {"a": Counting()},
            *tables,
            cv=3,
            cache_dir=tmp_path,
            scorers={"odd": lambda model, X, y: 0.0},
        )


def test_cache_dir_must_be_a_folder(tables, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="is a file"):
        compare_models({"a": Counting()}, *tables, cv=3, cache_dir=tmp_path / "file")


def test_networks_are_recognised(tables, tmp_path):
    def make(**params):
        model = TDimputeRegressor(n_hidden=4, max_epochs=1, random_state=0)
        return {"net": model.set_params(**params)}

    X, Y = tables
    sources = [TDimputeRegressor(n_hidden=4, max_epochs=n, random_state=0) for n in (1, 1, 2)]
    first, same, other = (source.fit(X, Y) for source in sources)
    n_files = []
    for pretrained in (None, first, same, other):
        compare_models(make(pretrained=pretrained), X, Y, cv=2, cache_dir=tmp_path)
        n_files.append(len(list(tmp_path.iterdir())))
    assert n_files[0] == 2
    assert n_files[1] == 4
    assert n_files[3] > n_files[2]


def test_another_file_of_the_same_name_is_noticed(tables, tmp_path):
    """A model that a parameter names by its path counts with its content."""
    X, Y = tables
    net = TDimputeRegressor(n_hidden=4, max_epochs=1, random_state=0)
    tuned = {"tuned": clone(net).set_params(pretrained=tmp_path / "model.omitrans")}
    results = []
    for seed in (1, 2, None):
        if seed is not None:
            save(clone(net).set_params(random_state=seed).fit(X, Y), tmp_path / "model.omitrans")
        compared = compare_models(tuned, X, Y, cv=2, cache_dir=tmp_path / "cache")
        results.append(compared.results.set_index(["fold", "metric"])["value"])
    assert not results[0].equals(results[1])
    assert results[1].equals(results[2])


def test_parallel_and_serial_share_the_cache(tables, tmp_path):
    models = {"ridge": make_pipeline(StandardScaler(), Ridge())}
    first = compare_models(models, *tables, cv=4, n_jobs=2, cache_dir=tmp_path)
    assert len(list(tmp_path.iterdir())) == 4
    second = compare_models(models, *tables, cv=4, cache_dir=tmp_path)
    pd.testing.assert_frame_equal(first.results, second.results)
    assert set(RECONSTRUCTION_SCORERS) <= set(first.results["metric"])
