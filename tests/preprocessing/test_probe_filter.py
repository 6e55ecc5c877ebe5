import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omitrans.exceptions import FeatureMismatchError
from omitrans.preprocessing import ProbeFilter

RULES = {
    "drop_off_epic": "off",
    "drop_snp": "snp",
    "drop_multi_mapped": "multi",
    "drop_non_cpg": "ch.1.5F",
    "drop_snp_assay": "rs123",
    "drop_sex_chromosomes": "sex",
}


@pytest.fixture
def probes():
    names = ["good", "off", "snp", "multi", "ch.1.5F", "rs123", "sex", "both"]
    return pd.DataFrame(
        {
            "probe_id": names,
            "chromosome": ["1"] * 6 + ["chrX", "chrY"],
            "position": range(8),
            "on_epic": [name not in ("off", "both") for name in names],
            "snp_within_5bp": [name in ("snp", "both") for name in names],
            "multi_mapped": [name == "multi" for name in names],
        }
    )


@pytest.fixture(name="X")
def make_x(probes):
    return pd.DataFrame(np.full((2, 8), 0.5), columns=probes["probe_id"].tolist())


def test_defaults_are_the_five_rules_of_the_paper(probes, X):
    probe_filter = ProbeFilter(probes).fit(X)
    assert probe_filter.get_feature_names_out().tolist() == ["good", "sex"]
    assert probe_filter.rule_counts_.to_dict() == {
        "off_epic": 2,
        "snp": 2,
        "multi_mapped": 1,
        "non_cpg": 1,
        "snp_assay": 1,
        "any": 6,
    }


@pytest.mark.parametrize("switch", RULES)
def test_each_rule_alone(probes, X, switch):
    switches = dict.fromkeys(RULES, False) | {switch: True}
    kept = ProbeFilter(probes, **switches).fit(X).get_feature_names_out()
    dropped = set(X.columns).difference(kept).difference({"both"})
    assert dropped == {RULES[switch]}


@pytest.mark.parametrize("switch", ["drop_off_epic", "drop_snp", "drop_multi_mapped"])
def test_rule_without_its_column(probes, X, switch):
    column = {"drop_off_epic": "on_epic", "drop_snp": "snp_within_5bp"}.get(switch, "multi_mapped")
    poorer = probes.drop(columns=column)
    with pytest.raises(ValueError, match=f"{switch}=True needs the column '{column}'.*{switch}=F"):
        ProbeFilter(poorer).fit(X)
    assert switch.removeprefix("drop_") not in (
        ProbeFilter(poorer, **{switch: False}).fit(X).rule_counts_
    )


def test_row_order_of_the_annotation_does_not_matter(probes, X):
    shuffled = probes.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(
        ProbeFilter(shuffled).fit_transform(X), ProbeFilter(probes).fit_transform(X)
    )


def test_ids_alone_without_annotation(X):
    probe_filter = ProbeFilter().fit(X)
    assert probe_filter.rule_counts_.to_dict() == {"non_cpg": 1, "snp_assay": 1, "any": 2}


def test_array_without_annotation_loses_nothing(X):
    out = ProbeFilter().fit_transform(X.to_numpy())
    np.testing.assert_array_equal(out, X.to_numpy())


@pytest.mark.parametrize("nameless", [np.asarray, lambda X: pd.DataFrame(X.to_numpy())])
def test_annotation_needs_names(probes, X, nameless):
    with pytest.raises(ValueError, match=r"X has no column names.*columns=probe_ids"):
        ProbeFilter(probes).fit(nameless(X))


def test_unannotated(probes, X):
    X["cg_new"] = 0.5
    assert "cg_new" in ProbeFilter(probes).fit(X).get_feature_names_out()
    dropping = ProbeFilter(probes, unannotated="drop").fit(X)
    assert "cg_new" not in dropping.get_feature_names_out()
    assert dropping.rule_counts_["unannotated"] == 1
    with pytest.raises(FeatureMismatchError, match=r"1 of 9 columns.*cg_new.*unannotated="):
        ProbeFilter(probes, unannotated="error").fit(X)


def test_another_arrays_annotation(probes, X):
    with pytest.raises(FeatureMismatchError, match=r"None of the 8 columns .first: good_1. is in"):
        ProbeFilter(probes).fit(X.add_suffix("_1"))


def test_nothing_left_says_which_rules(probes, X):
    with pytest.raises(ValueError, match=r"none of the 2 probes.*off_epic 1, snp 1.*any 2"):
        ProbeFilter(probes).fit(X[["off", "snp"]])


def test_declared_betas(probes, X):
    m_values = X * 10 - 7
    ProbeFilter(probes).fit(m_values)
    with pytest.raises(ValueError, match=r"lie in \[0, 1\].*look like M-values"):
        ProbeFilter(probes, unit="beta").fit(m_values)
    fitted = ProbeFilter(probes, unit="beta").fit(X)
    with pytest.raises(ValueError, match="divide by 100"):
        fitted.transform(X * 100)


def test_bad_parameters(X):
    with pytest.raises(ValueError, match="'drop_snp' parameter"):
        ProbeFilter(drop_snp="yes").fit(X)
    with pytest.raises(ValueError, match="'unit' parameter"):
        ProbeFilter(unit="M").fit(X)
    with pytest.raises(ValueError, match="'annotation' parameter"):
        ProbeFilter(["cg01"]).fit(X)


@settings(max_examples=20, deadline=None)
@given(flags=st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=12))
def test_filtering_twice_changes_nothing(flags):
    flags = [(True, False, False), *flags]
    on_epic, snp, multi = zip(*flags, strict=True)
    names = [f"cg{i}" for i in range(len(flags))]
    probes = pd.DataFrame(
        {
            "probe_id": names,
            "chromosome": "1",
            "position": 1,
            "on_epic": on_epic,
            "snp_within_5bp": snp,
            "multi_mapped": multi,
        }
    )
    X = pd.DataFrame([range(len(flags))], columns=names, dtype=float)
    once = ProbeFilter(probes).fit_transform(X)
    pd.testing.assert_frame_equal(ProbeFilter(probes).fit_transform(once), once)
    expected = [n for n, flag in zip(names, flags, strict=True) if flag == (True, False, False)]
    assert once.columns.tolist() == expected
