"""Rubin's rules against the textbook's formulas and a simulation with known truth."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from omitrans.metrics import pool_estimates


def test_formulas():
    Q, U = np.array([1.0, 3.0, 2.0, 4.0]), np.array([0.5, 0.7, 0.6, 0.4])
    between, within = Q.var(ddof=1), U.mean()
    total = within + 1.25 * between
    df = 3 * (1 + within / (1.25 * between)) ** 2
    row = pool_estimates(Q[:, None], U[:, None]).iloc[0]
    assert row["estimate"] == Q.mean()
    assert row["standard_error"] == pytest.approx(np.sqrt(total))
    assert row["df"] == pytest.approx(df)
    assert row["upper"] == pytest.approx(2.5 + stats.t.ppf(0.975, df) * np.sqrt(total))
    assert row["missing_information"] == pytest.approx(1.25 * between / total)


def test_degrees_of_freedom_never_exceed_those_of_complete_data():
    pooled = pool_estimates([[1.0, 1.0], [1.1, 1.0], [0.9, 1.0]], np.full((3, 2), 0.01), df=9)
    assert (pooled["df"] < 9).all()


def test_without_variance_between_draws_it_is_the_usual_interval():
    row = pool_estimates([[2.0]] * 5, [[0.09]] * 5).iloc[0]
    assert row["df"] == np.inf
    assert row["upper"] == pytest.approx(2 + 1.959964 * 0.3)


def test_rows_are_named_by_columns():
    frame = pd.DataFrame({"TP53": [1.0, 2.0], "XIST": [0.0, 0.0]})
    pooled = pool_estimates(frame, frame + 1)
    assert list(pooled.index) == ["TP53", "XIST"]
    rows = [frame.loc[i] for i in frame.index]
    pd.testing.assert_frame_equal(pool_estimates(rows, [row + 1 for row in rows]), pooled)


def test_intervals_cover_the_truth():
    """Half of the values are missing; the mean is estimated from proper draws of them."""
    rng = np.random.default_rng(0)
    n, n_repeats, n_draws = 40, 400, 8
    covered = 0
    for _ in range(n_repeats):
        seen = rng.normal(size=n // 2)
        draws = []
        for _ in range(n_draws):
            sd = np.sqrt(seen.var(ddof=1) * (len(seen) - 1) / rng.chisquare(len(seen) - 1))
            mean = rng.normal(seen.mean(), sd / np.sqrt(len(seen)))
            draws.append(np.concatenate([seen, rng.normal(mean, sd, n // 2)]))
        draws = np.stack(draws)
        row = pool_estimates(
            draws.mean(axis=1, keepdims=True),
            draws.var(axis=1, ddof=1, keepdims=True) / n,
            df=n - 1,
        ).iloc[0]
        covered += row["lower"] <= 0 <= row["upper"]
    assert 0.92 < covered / n_repeats < 0.98


@pytest.mark.parametrize(
    ("Q", "U", "message"),
    [
        ([[1.0]], [[1.0]], "minimum of 2 is required"),
        ([[1.0], [2.0]], [[1.0, 1.0], [1.0, 1.0]], "one variance for"),
        ([[1.0], [2.0]], [[1.0], [-1.0]], "negative"),
        ([[1.0], [np.nan]], [[1.0], [1.0]], "NaN"),
    ],
)
def test_bad_input(Q, U, message):
    with pytest.raises(ValueError, match=message):
        pool_estimates(Q, U)
