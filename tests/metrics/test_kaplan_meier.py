from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omitrans.exceptions import SampleMismatchError
from omitrans.metrics import kaplan_meier, log_rank_test

pytest.importorskip("lifelines")

REFERENCE = Path(__file__).parents[1] / "downstream" / "reference"
SAMPLES = pd.read_csv(REFERENCE / "survival_samples.csv")
OUTCOME = SAMPLES["time"], SAMPLES["event"]


def test_curves_agree_with_survfit_of_r():
    theirs = pd.read_csv(REFERENCE / "kaplan_meier.csv")
    groups = np.where(SAMPLES["g1"] > 0, "high", "low")
    ours = kaplan_meier(*OUTCOME, groups).sort_values(["group", "time"], ascending=[False, True])
    for name in theirs:
        if name == "group":
            assert list(ours[name]) == list(theirs[name])
        else:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9, err_msg=name)


def test_log_rank_agrees_with_survdiff_of_r():
    theirs = pd.read_csv(REFERENCE / "log_rank.csv").iloc[0]
    statistic, p_value = log_rank_test(*OUTCOME, SAMPLES["site"])
    np.testing.assert_allclose([statistic, p_value], [theirs["chisq"], theirs["p"]], rtol=1e-9)


def test_names_of_groups_do_not_matter():
    names = SAMPLES["site"].map({1: "x", 2: "b", 3: "k"})
    assert log_rank_test(*OUTCOME, names) == log_rank_test(*OUTCOME, SAMPLES["site"])


def test_without_groups():
    curves = kaplan_meier(*OUTCOME)
    assert set(curves["group"]) == {"all"}
    assert curves["at_risk"].iloc[0] == len(SAMPLES)
    assert curves["events"].sum() == SAMPLES["event"].sum()
    assert (curves["events"] + curves["censored"]).sum() == len(SAMPLES)


def test_group_without_events():
    curves = kaplan_meier([1, 2, 3, 4], [0, 0, 1, 1], list("aabb"))
    assert (curves.loc[curves["group"] == "a", "survival"] == 1).all()
    assert curves["lower"].iloc[-1:].isna().all()  # nobody survives
    assert all(np.isnan(log_rank_test([1, 2, 3, 4], [0, 0, 0, 0], list("aabb"))))


def test_bad_groups():
    with pytest.raises(ValueError, match="all 90 samples are of group 'one'"):
        log_rank_test(*OUTCOME, ["one"] * 90)
    with pytest.raises(ValueError, match="groups is missing for 1 of 90"):
        kaplan_meier(*OUTCOME, [None] + ["a"] * 89)
    with pytest.raises(SampleMismatchError, match="groups 3"):
        kaplan_meier(*OUTCOME, list("abc"))
    with pytest.raises(SampleMismatchError, match="another order"):
        kaplan_meier(*OUTCOME, SAMPLES["site"][::-1])
    time, event = (SAMPLES[name].to_numpy() for name in ("time", "event"))
    with pytest.raises(SampleMismatchError, match=r"event and groups .* another order"):
        log_rank_test(time, pd.Series(event), pd.Series(np.arange(90) % 2)[::-1])
    with pytest.raises(ValueError, match="time is empty"):
        kaplan_meier([], [])
