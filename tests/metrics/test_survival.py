from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omitrans.exceptions import SampleMismatchError
from omitrans.metrics import concordance_index, uno_concordance_index

REFERENCE = Path(__file__).parents[1] / "downstream" / "reference"
SAMPLES = pd.read_csv(REFERENCE / "survival_samples.csv")
RISKS = {"g1": SAMPLES["g1"], "sex": SAMPLES["sex"], "rounded": SAMPLES["g1"].round()}
VALUES = pd.read_csv(REFERENCE / "concordance.csv").to_dict("records")


def names(row):
    return f"{row['time']}-{row['risk']}"


def pair_by_pair(time, event, risk, weight):
    pairs = concordant = 0.0
    for i in range(len(time)):
        for j in range(len(time)):
            later = time[i] < time[j] or (time[i] == time[j] and not event[j])
            if event[i] and later:
                pairs += weight[i]
                concordant += weight[i] * ((risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]))
    return concordant / pairs


@pytest.mark.parametrize("row", VALUES, ids=names)
def test_harrell_agrees_with_r(row):
    ours = concordance_index(SAMPLES[row["time"]], SAMPLES["event"], RISKS[row["risk"]])
    np.testing.assert_allclose(ours, row["harrell"], rtol=1e-12)


@pytest.mark.parametrize("row", VALUES, ids=names)
@pytest.mark.parametrize("tau", [None, 20])
def test_uno_agrees_with_r(row, tau):
    time, event = SAMPLES[row["time"]], SAMPLES["event"]
    ours = uno_concordance_index(
        time,
        event,
        RISKS[row["risk"]],
        train_time=time,
        train_event=event,
        tau=None if tau is None else tau + 1e-9,  # R counts events at the limit, too
    )
    np.testing.assert_allclose(ours, row["uno" if tau is None else "uno_20"], rtol=1e-12)


def test_ties_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    time, event, risk = rng.integers(1, 9, 50), rng.random(50) < 0.6, rng.integers(0, 5, 50)
    expected = pair_by_pair(time, event, risk, np.ones(50))
    np.testing.assert_allclose(concordance_index(time, event, risk), expected)


def test_training_samples_give_the_weights():
    time, event, risk = [1.0, 2.0, 3.0, 4.0], [1, 1, 1, 0], [2.0, 0.0, 1.0, 0.5]
    # of four training samples one is censored at 1.5: later events weigh (4 / 3) ** 2
    weights = uno_concordance_index(
        time, event, risk, train_time=[1, 1.5, 3, 9], train_event=[1, 0, 1, 1]
    )
    g = 1 - 1 / 3
    expected = pair_by_pair(time, event, risk, [1, g**-2, g**-2, 0])
    np.testing.assert_allclose(weights, expected)


def test_events_after_the_last_uncensored_time_do_not_count():
    options = {"train_time": [1, 2, 2.5], "train_event": [1, 1, 0]}
    late = uno_concordance_index([1, 2, 5, 6], [1, 1, 1, 1], [4, 3, 1, 2], **options)
    assert late == 1.0  # the wrong pair begins at 5, where all training samples are censored


def test_risk_counts_by_its_order_only():
    rng = np.random.default_rng(1)
    time, event, risk = rng.exponential(size=200), rng.random(200) < 0.5, rng.normal(size=200)
    index = concordance_index(time, event, risk)
    assert concordance_index(time, event, np.exp(risk)) == index
    np.testing.assert_allclose(concordance_index(time, event, -risk), 1 - index)
    assert concordance_index(time, event, np.zeros(200)) == 0.5


def test_blocks_do_not_show(monkeypatch):
    arguments = SAMPLES["time"], SAMPLES["event"], RISKS["rounded"]
    whole = concordance_index(*arguments)
    monkeypatch.setattr("omitrans.metrics._survival.BLOCK_PAIRS", 100)
    np.testing.assert_allclose(concordance_index(*arguments), whole, rtol=1e-14)


@pytest.mark.parametrize("event", [[0, 0, 0], [0, 0, 1]], ids=["all censored", "last event"])
def test_nothing_to_compare(event):
    with pytest.raises(ValueError, match="No pair of the 3 samples is comparable"):
        concordance_index([1, 2, 3], event, [1, 2, 3])


def test_bad_risk():
    with pytest.raises(ValueError, match="risk is missing for 1 of 3 samples"):
        concordance_index([1, 2, 3], [1, 1, 1], [1, np.nan, 3])
    with pytest.raises(SampleMismatchError, match="risk has the shape"):
        concordance_index([1, 2, 3], [1, 1, 1], [1, 2])
    with pytest.raises(SampleMismatchError):
        concordance_index(
            pd.Series([1, 2, 3]), pd.Series([1, 1, 1]), pd.Series([1, 2, 3], [2, 1, 0])
        )


def test_messages_name_the_risk():
    with pytest.raises(SampleMismatchError, match="risk holds 2 samples and time 3"):
        concordance_index([1, 2, 3], [1, 1, 1], pd.Series([1.0, 2.0]))


def test_dates_are_no_times():
    dates = pd.Series(pd.to_datetime(["2020-01-01", "2021-01-01", "2022-01-01"]))
    with pytest.raises(ValueError, match="time holds dates"):
        concordance_index(dates, [1, 1, 1], [3, 2, 1])
    assert concordance_index((dates - dates[0]).dt.days + 1, [1, 1, 1], [3, 2, 1]) == 1


def test_bad_tau():
    with pytest.raises(ValueError, match="tau must be a time above 0"):
        uno_concordance_index([1, 2], [1, 1], [2, 1], train_time=[1], train_event=[1], tau=0)
