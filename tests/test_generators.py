"""Every generator of expression keeps one contract; they are found by walking the package."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import omitrans
from omitrans.exceptions import FeatureMismatchError, UnknownCategoryError
from omitrans.utils.discovery import all_estimators

NETWORK = pd.DataFrame(
    {
        "regulator": ["TP53", "TP53", "GAPDH"],
        "target": ["EGFR", "ALB", "ALB"],
        "effect": ["-", "+", "dual"],
    }
)
# Class -> parameters with which its fit takes less than a second.
QUICK: dict[str, dict[str, object]] = {
    "GeneNetworkSimulator": {"network": NETWORK},
    "WGANGPGenerator": {"hidden_layer_sizes": (16,), "n_critic": 1, "max_epochs": 2},
}
# They have no covariates, and take the table for its rows.
WITHOUT_COVARIATES = {"GeneNetworkSimulator"}
GENERATORS = {
    name: cls
    for name, cls in all_estimators()
    if hasattr(cls, "sample_y") and not hasattr(cls, "predict") and not hasattr(cls, "transform")
}
every_generator = pytest.mark.parametrize("name", GENERATORS)
every_conditional_generator = pytest.mark.parametrize(
    "name", [name for name in GENERATORS if name not in WITHOUT_COVARIATES]
)
GENES = ["ALB", "TP53", "EGFR", "GAPDH"]


def table(n=60, seed=0, dtype=np.float64):
    """Return covariates and expression; no liver sample is treated, and GAPDH is constant."""
    rng = np.random.default_rng(seed)
    samples = [f"s{i}" for i in range(n)]
    tissue = np.array(["liver", "lung", "blood"] * n)[:n]
    treated = (rng.random(n) < 0.5) & (tissue != "liver")
    covariates = pd.DataFrame(
        {"tissue": tissue, "treated": treated, "age": rng.integers(20, 80, n)}, index=samples
    )
    expression = rng.normal(size=(n, 1)) * [1.0, -1, 0.5, 0] + rng.normal(size=(n, 4)) + 5
    expression[:, 0] += 6 * (tissue == "liver")
    expression[:, 3] = 7.3
    return covariates, pd.DataFrame(expression.astype(dtype), samples, GENES)


def made(name):
    model = GENERATORS[name](**QUICK.get(name, {}))
    return model.set_params(random_state=0)


def fitted(name, dtype=np.float64):
    return made(name).fit(*table(dtype=dtype))


@pytest.fixture(scope="module")
def models():
    return {name: fitted(name) for name in GENERATORS}


def test_generators_are_found():
    assert {"GaussianGenerator", "GaussianCopulaGenerator", "ImputerGenerator"} <= set(GENERATORS)


@every_generator
def test_one_draw_has_the_index_of_the_covariates(name, models):
    covariates, _ = table()
    drawn = models[name].sample_y(covariates, random_state=0)
    assert list(drawn.index) == list(covariates.index)
    assert list(drawn.columns) == GENES == list(models[name].get_feature_names_out())
    assert np.isfinite(drawn.to_numpy()).all()


@every_generator
def test_several_draws_stand_one_after_the_other(name, models):
    covariates = table()[0].head(5)
    drawn = models[name].sample_y(covariates, n_samples=3, random_state=0)
    assert drawn.index.names == ["sample_id", "draw"]
    expected = [(sample, draw) for draw in range(3) for sample in covariates.index]
    assert list(drawn.index) == expected
    first = drawn.xs(0, level="draw")
    pd.testing.assert_frame_equal(
        first, models[name].sample_y(covariates, random_state=0), check_names=False
    )
    assert not np.allclose(first[GENES[:3]], drawn.xs(1, level="draw")[GENES[:3]])


@every_generator
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_data_type_is_that_of_the_expression(name, dtype):
    drawn = fitted(name, dtype).sample_y(table()[0], random_state=0)
    assert set(drawn.dtypes) == {np.dtype(dtype)}


@every_generator
def test_a_row_is_the_same_whatever_rows_follow(name, models):
    covariates, _ = table()
    whole = models[name].sample_y(covariates, random_state=3)
    for n_rows in (1, 7):
        part = models[name].sample_y(covariates.head(n_rows), random_state=3)
        np.testing.assert_allclose(part, whole.head(n_rows), rtol=1e-5)


@every_conditional_generator
def test_two_covariates_share_the_latent_state(name, models):
    """The difference is that of the conditions, without the noise of the draws."""
    covariates = pd.concat([table()[0].head(1)] * 200, ignore_index=True)
    as_liver = models[name].sample_y(covariates.assign(tissue="liver"), random_state=0)
    as_lung = models[name].sample_y(covariates.assign(tissue="lung"), random_state=0)
    again = models[name].sample_y(covariates.assign(tissue="lung"), random_state=1)
    paired, unpaired = as_liver["TP53"] - as_lung["TP53"], as_liver["TP53"] - again["TP53"]
    assert paired.std() < 0.6 * unpaired.std()
    assert as_liver["ALB"].mean() - as_lung["ALB"].mean() > 3


@pytest.mark.parametrize("name", sorted(WITHOUT_COVARIATES))
def test_covariates_do_not_enter_where_there_are_none(name, models):
    covariates, _ = table()
    drawn = [
        models[name].sample_y(covariates.assign(tissue=tissue), random_state=0)
        for tissue in ("liver", "lung")
    ]
    pd.testing.assert_frame_equal(*drawn)


@every_generator
def test_seeds_decide(name, models):
    covariates, _ = table()
    draw = models[name].sample_y
    pd.testing.assert_frame_equal(
        draw(covariates, random_state=5), draw(covariates, random_state=5)
    )
    assert not draw(covariates, random_state=5).equals(draw(covariates, random_state=6))
    shared = np.random.RandomState(0)
    assert not draw(covariates, random_state=shared).equals(draw(covariates, random_state=shared))


@every_generator
def test_the_global_generator_is_left_alone(name):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    fitted(name).sample_y(table()[0], random_state=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@every_generator
def test_constant_genes_are_drawn_as_their_constant(name, models):
    drawn = models[name].sample_y(table()[0], random_state=0)
    assert (drawn["GAPDH"] == 7.3).all()


@every_conditional_generator
def test_a_combination_that_fit_has_not_met_is_drawn(name, models):
    new = table()[0].head(1).assign(tissue="liver", treated=True)
    drawn = models[name].sample_y(new, n_samples=50, random_state=0)
    assert drawn["ALB"].between(4, 18).all()
    assert abs(drawn["ALB"].mean() - 11) < 2


@every_generator
def test_an_unknown_level_is_refused(name, models):
    with pytest.raises(UnknownCategoryError, match=r"'tissue'.*brain.*'blood', 'liver', 'lung'"):
        models[name].sample_y(table()[0].replace("lung", "brain"))


@every_generator
def test_an_absent_covariate_is_refused(name, models):
    with pytest.raises(FeatureMismatchError, match="age"):
        models[name].sample_y(table()[0].drop(columns="age"))


@every_generator
def test_columns_are_found_by_name(name, models):
    covariates, _ = table()
    shuffled = covariates[["age", "tissue", "treated"]].assign(donor="d")
    pd.testing.assert_frame_equal(
        models[name].sample_y(shuffled, random_state=0),
        models[name].sample_y(covariates, random_state=0),
    )


@every_generator
@pytest.mark.parametrize("way", ["clone", "pickle", "omitrans"])
def test_copies_draw_the_same(name, way, models, tmp_path):
    covariates, expression = table()
    if way == "clone":
        again = clone(models[name]).fit(covariates, expression)
    elif way == "pickle":
        again = pickle.loads(pickle.dumps(models[name]))
    else:
        omitrans.save(models[name], tmp_path / "model.omitrans")
        again = omitrans.load(tmp_path / "model.omitrans")
    drawn = again.sample_y(covariates, n_samples=2, random_state=1)
    expected = models[name].sample_y(covariates, n_samples=2, random_state=1)
    pd.testing.assert_frame_equal(drawn, expected)


@every_generator
@pytest.mark.parametrize("n", [2, 3, 7])
def test_few_samples_are_enough(name, n):
    covariates, expression = table(n)
    model = made(name).fit(covariates, expression)
    assert np.isfinite(model.sample_y(covariates, random_state=0).to_numpy()).all()


@every_generator
def test_one_level_and_no_numbers(name):
    covariates, expression = table()
    covariates = covariates[["tissue"]].assign(tissue="liver")
    model = made(name).fit(covariates, expression)
    drawn = model.sample_y(covariates, n_samples=5, random_state=0)
    gap = (drawn.mean() - expression.mean())[GENES[:3]]
    assert (gap.abs() < 0.7).all()


@every_generator
def test_missing_expression_is_refused(name):
    covariates, expression = table()
    expression.iloc[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"TP53|NaN"):
        made(name).fit(covariates, expression)


def test_numbers_in_a_column_of_objects_are_numbers():
    covariates, expression = table()
    objects = covariates.assign(age=covariates["age"].astype(object))
    objects.iloc[3, 2] = None
    model = made("GaussianGenerator").fit(objects, expression)
    assert model.covariates_.labels("numeric") == ["age"]


@every_conditional_generator
def test_dates_are_refused(name):
    covariates, expression = table()
    dates = covariates.assign(day=pd.Timestamp("2026-01-01"))
    with pytest.raises(ValueError, match=r"'day' holds datetime64.*Turn it into"):
        made(name).fit(dates, expression)
