"""Scores of generated expression, compared with their formulas written directly in float64."""

import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import cophenet, linkage
from sklearn.exceptions import UndefinedMetricWarning

from omitrans.exceptions import FeatureMismatchError
from omitrans.metrics import generation_report, s_dend, s_dist, s_sdcc, s_tf_tg, s_tg_tg
from omitrans.metrics._correlations import correlation_matrix, samples_are_few
from omitrans.metrics._dendrogram import complete_linkage
from omitrans.metrics._standardized import standardize_pair

SCORES = {"s_dist": s_dist, "s_dend": s_dend, "s_sdcc": s_sdcc}


def expression(n_samples, n_genes, seed, *, structure=0):
    """Return expression with a few shared factors; `structure` draws how genes depend on them."""
    loadings = np.random.default_rng(structure).normal(size=(5, n_genes))
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(n_samples, 5)) @ loadings + 2 * rng.normal(size=(n_samples, n_genes))
    return table + 8


def named(table):
    return pd.DataFrame(table, columns=[f"g{i}" for i in range(table.shape[1])])


def some_network(n_genes, *, loops):
    """Return edges of four regulators, each with a self-loop if `loops`."""
    rng = np.random.default_rng(3)
    edges = [
        (f"g{regulator}", f"g{target}")
        for regulator in range(4)
        for target in rng.choice(np.arange(4, n_genes), 3 + 2 * regulator, replace=False)
    ]
    if loops:
        edges += [(f"g{regulator}", f"g{regulator}") for regulator in range(4)]
    return pd.DataFrame(edges, columns=["regulator", "target"]).sample(frac=1, random_state=0)


def cosine(x, z):
    return x @ z / np.linalg.norm(x) / np.linalg.norm(z)


def direct_scores(real, synthetic):
    upper = np.triu_indices(real.shape[1], 1)
    x, z = (1 - np.corrcoef(table.T)[upper] for table in (real, synthetic))
    trees = [linkage(distances, "complete") for distances in (x, z)]
    heights = [cophenet(tree) for tree in trees]
    fits = [
        np.corrcoef(those, distances)[0, 1]
        for those, distances in zip(heights, (x, z), strict=True)
    ]
    return {
        "s_dist": np.corrcoef(x, z)[0, 1],
        "s_dend": np.corrcoef(*heights)[0, 1],
        "s_sdcc": (fits[0] - fits[1]) ** 2,
    }


def direct_network_scores(real, synthetic, network, formula):
    x, z = (pd.DataFrame(np.corrcoef(table.T), table.columns, table.columns) for table in
            (real, synthetic))  # fmt: skip
    if formula == "paper":
        x, z = 1 - x, 1 - z
    tf_tg, tg_tg = [], []
    for regulator, edges in network.groupby("regulator"):
        targets = edges["target"].unique()
        n = len(targets)
        tf_tg.append((n, cosine(x.loc[regulator, targets], z.loc[regulator, targets])))
        among = [table.loc[targets, targets].to_numpy() for table in (x, z)]
        if formula == "code":
            upper = np.triu_indices(n, 1)
            tg_tg.append((n - 1, cosine(among[0][upper], among[1][upper])))
        else:
            rows = [[np.delete(table[i], i) for table in among] for i in range(n)]
            tg_tg.append((n, sum(cosine(*pair) for pair in rows)))
    return {
        name: sum(w * value for w, value in pairs) / sum(w for w, _ in pairs)
        for name, pairs in {"s_tf_tg": tf_tg, "s_tg_tg": tg_tg}.items()
    }


# --- agreement with the direct formulas ---


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("n_real", "n_synthetic"), [(12, 17), (80, 150), (300, 260)])
def test_scores_of_all_pairs_follow_their_formulas(n_real, n_synthetic, dtype):
    real = expression(n_real, 120, 1).astype(dtype)
    synthetic = expression(n_synthetic, 120, 2).astype(dtype)
    expected = direct_scores(real.astype(float), synthetic.astype(float))
    report = generation_report(real, synthetic)
    assert list(report.index) == list(expected)
    for name, score in SCORES.items():
        assert score(real, synthetic) == pytest.approx(expected[name], abs=1e-6)
        assert report[name] == pytest.approx(expected[name], abs=1e-6)


def test_both_ways_to_sum_over_pairs_are_tested():
    assert samples_are_few(12, 17, 120)
    assert not samples_are_few(80, 150, 120)


@pytest.mark.parametrize("loops", [False, True])
@pytest.mark.parametrize("formula", ["code", "paper"])
def test_scores_along_the_network_follow_their_formulas(formula, loops):
    real, synthetic = named(expression(40, 60, 1)), named(expression(50, 60, 2))
    network = some_network(60, loops=loops)
    expected = direct_network_scores(real, synthetic, network, formula)
    options = {"formula": formula, "self_loops": "keep"}
    assert s_tf_tg(real, synthetic, network, **options) == pytest.approx(expected["s_tf_tg"])
    assert s_tg_tg(real, synthetic, network, **options) == pytest.approx(expected["s_tg_tg"])
    report = generation_report(real, synthetic, network, **options)
    assert report[list(expected)].to_dict() == pytest.approx(expected)
    assert list(report.index) == [*SCORES, *expected]


@pytest.mark.parametrize("structure", ["factors", "none", "chain"])
@pytest.mark.parametrize("n_genes", [3, 50, 401])
def test_dendrogram_is_that_of_scipy(n_genes, structure):
    rng = np.random.default_rng(n_genes)
    table = {
        "factors": expression(30, n_genes, 1),
        "none": rng.normal(size=(30, n_genes)),
        "chain": np.cumsum(rng.normal(size=(30, n_genes)), axis=1),
    }[structure]
    matrix = correlation_matrix(standardize_pair(table, table).real)
    distances = 1 - matrix[np.triu_indices(n_genes, 1)].astype(float)
    expected = linkage(distances, "complete")
    tree = complete_linkage(matrix)
    np.testing.assert_allclose(np.sort(tree.gaps), expected[:, 2], atol=1e-6)
    ours = np.zeros((n_genes, n_genes))
    for position, gene in enumerate(tree.order):
        rest = tree.order[position + 1 :]
        ours[gene, rest] = ours[rest, gene] = np.maximum.accumulate(tree.gaps[position:])
    np.testing.assert_allclose(ours[np.triu_indices(n_genes, 1)], cophenet(expected), atol=1e-6)


# --- known truth ---


def test_identical_tables_score_best():
    real = named(expression(40, 60, 1))
    report = generation_report(real, real, some_network(60, loops=True))
    expected = {"s_dist": 1, "s_dend": 1, "s_sdcc": 0, "s_tf_tg": 1, "s_tg_tg": 1}
    assert report.to_dict() == pytest.approx(expected)


def test_random_data_scores_about_zero():
    real = named(expression(200, 150, 1))
    rng = np.random.default_rng(0)
    reports = [
        generation_report(real, named(rng.random((200, 150))), some_network(150, loops=True))
        for _ in range(20)
    ]
    mean = pd.concat(reports, axis=1).mean(axis=1)
    assert mean.drop("s_sdcc").abs().max() < 0.1


def test_expression_of_the_same_structure_scores_higher_than_of_another():
    real, network = named(expression(200, 100, 1)), some_network(100, loops=False)
    same = generation_report(real, named(expression(200, 100, 2)), network)
    other = generation_report(real, named(expression(200, 100, 2, structure=7)), network)
    assert (same > other).drop("s_sdcc").all()


def test_linear_changes_of_genes_keep_the_scores():
    real, synthetic = expression(40, 30, 1), expression(40, 30, 2)
    scale = np.geomspace(1e-150, 1e150, 30)
    expected = generation_report(real, synthetic)
    pd.testing.assert_series_equal(generation_report(real * scale, synthetic), expected)


def test_order_of_genes_and_samples_changes_nothing():
    real, synthetic = named(expression(40, 60, 1)), named(expression(50, 60, 2))
    network = some_network(60, loops=True)
    expected = generation_report(real, synthetic, network)
    shuffled = synthetic.sample(frac=1, axis=1, random_state=1).sample(frac=1, random_state=2)
    pd.testing.assert_series_equal(generation_report(real, shuffled, network), expected)
    both = generation_report(real[shuffled.columns], shuffled, network[::-1])
    pd.testing.assert_series_equal(both, expected)


# --- what the variants do to the floor of random data ---


def floor(score, **options):
    """Return the mean score of random data that is compared with random data."""
    rng = np.random.default_rng(0)
    network = some_network(40, loops=True).iloc[:, :2]
    network = network[(network["regulator"] != network["target"]) | (network["target"] == "g0")]
    tables = [[named(rng.random((300, 40))) for _ in range(2)] for _ in range(20)]
    return np.mean([score(*pair, network, **options) for pair in tables])


def test_self_loops_lift_the_floor_to_the_share_of_edges_at_their_regulators():
    assert abs(floor(s_tf_tg)) < 0.05
    # g0 has three targets and itself, of 3 + 5 + 7 + 9 + 1 edges
    assert floor(s_tf_tg, self_loops="keep") == pytest.approx(4 / 25, abs=0.05)


def test_floor_with_self_loops_falls_with_the_real_correlations():
    real, network = named(expression(500, 60, 1)), some_network(60, loops=True)
    r = real.corr().to_numpy()
    sizes, floors = [], []
    for regulator, edges in network.groupby("regulator"):
        squares = r[int(regulator[1:]), [int(name[1:]) for name in edges["target"]]] ** 2
        sizes.append(len(squares))
        floors.append(1 / np.sqrt(squares.sum()))  # 1 of them is that of the self-loop
    rng = np.random.default_rng(0)
    found = [
        s_tf_tg(real, named(rng.random((500, 60))), network, self_loops="keep") for _ in range(20)
    ]
    expected = np.average(floors, weights=sizes)
    assert 0.3 < expected < 0.9
    assert np.mean(found) == pytest.approx(expected, abs=0.03)


def test_self_loops_leave_the_floor_of_pairs_of_targets():
    assert abs(floor(s_tg_tg)) < 0.05
    assert abs(floor(s_tg_tg, self_loops="keep")) < 0.05


def test_distances_lift_the_floor_to_nearly_one():
    assert floor(s_tf_tg, formula="paper") > 0.99
    # the sum of squares over the sum of the numbers of targets
    mean_size = (9 + 25 + 49 + 81) / 24
    assert 0.99 * mean_size < floor(s_tg_tg, formula="paper") < mean_size


# --- constant genes ---


def test_gene_that_is_constant_in_the_real_table_is_left_out():
    real, synthetic = named(expression(40, 30, 1)), named(expression(50, 30, 2))
    network = some_network(30, loops=False)
    lost = network["target"].iloc[0]
    kept = network[network["target"] != lost]
    expected = generation_report(real.drop(columns=lost), synthetic.drop(columns=lost), kept)
    real[lost] = 0.1
    with pytest.warns(UserWarning, match="1 genes are constant in real and are left out"):
        assert s_dist(real, synthetic) == pytest.approx(expected["s_dist"])
    left_out = f"{len(network) - len(kept)} of {len(network)} edges of network are left out"
    with (
        pytest.warns(UserWarning, match="1 genes are constant"),
        pytest.warns(UserWarning, match=left_out),
    ):
        report = generation_report(real, synthetic, network)
    pd.testing.assert_series_equal(report, expected)


def test_generator_gains_nothing_from_a_constant_gene():
    real = named(expression(60, 40, 1))
    network = some_network(40, loops=False)
    collapsed = real.copy()
    collapsed.iloc[:, 10:] = 5.0
    with pytest.warns(UserWarning, match="30 genes vary in real and are constant in synthetic"):
        report = generation_report(real, collapsed, network)
    assert (report.drop("s_sdcc") < 0.8).all()
    assert np.isfinite(report).all()


def test_constant_synthetic_table_has_no_score_of_all_pairs():
    real, network = named(expression(60, 40, 1)), some_network(40, loops=False)
    flat = real * 0 + 3.0
    with (
        pytest.warns(UserWarning, match="40 genes vary in real"),
        pytest.warns(UndefinedMetricWarning, match="s_dist is NaN"),
        pytest.warns(UndefinedMetricWarning, match="s_dend is NaN"),
        pytest.warns(UndefinedMetricWarning, match="s_sdcc is NaN"),
    ):
        report = generation_report(real, flat, network)
    assert report[list(SCORES)].isna().all()
    assert report[["s_tf_tg", "s_tg_tg"]].tolist() == [0, 0]


# --- what is refused ---


def test_other_genes_are_named():
    real = named(expression(9, 6, 1))
    with pytest.raises(FeatureMismatchError, match=r"lacks 1 \['g2'\] and real lacks 1 \['new'\]"):
        s_dist(real, real.rename(columns={"g2": "new"}))
    with pytest.raises(FeatureMismatchError, match="6 genes and synthetic 5"):
        s_dist(real.to_numpy(), real.to_numpy()[:, :5])
    with pytest.raises(FeatureMismatchError, match="duplicated"):
        s_dist(real, real[["g0", "g1", "g2", "g3", "g4", "g4"]])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_missing_values_are_refused(value):
    real = named(expression(9, 6, 1))
    bad = real.copy()
    bad.iloc[3, 4] = value
    with pytest.raises(ValueError, match=r"synthetic contains NaN or infinite.*'g4'"):
        s_dend(real, bad)


def test_tables_that_are_too_small_are_refused():
    table = expression(9, 6, 1)
    with pytest.raises(ValueError, match=r"2 feature.*minimum of 3"):
        s_dist(table[:, :2], table[:, :2])
    with pytest.raises(ValueError, match=r"1 sample.*minimum of 2"):
        s_dist(table, table[:1])
    table[:, :4] = 1.0
    with pytest.raises(ValueError, match="Only 2 of 6 genes vary"):
        s_dist(table, table)


def test_networks_that_say_nothing_are_refused():
    real = named(expression(9, 6, 1))

    def score(**columns):
        return s_tf_tg(real, real, pd.DataFrame(columns), self_loops="keep")

    with pytest.raises(TypeError, match="must be a DataFrame"):
        s_tf_tg(real, real, [("g0", "g1")])
    with pytest.raises(ValueError, match=r"lacks the columns \['regulator'\]"):
        score(tf=["g0"], target=["g1"])
    with pytest.raises(
        ValueError, match=r"such as \['Fur'\].*\['fepA', 'fepB'\].*'g0', 'g1', 'g2'"
    ):
        score(regulator=["Fur", "Fur"], target=["fepA", "fepB"])
    with pytest.raises(ValueError, match=r"All 2 edges of network .* self-loops"):
        score(regulator=["g0", "g1"], target=["g0", "g1"])
    with pytest.raises(ValueError, match="formula"):
        s_tf_tg(real, real, some_network(20, loops=False), formula="typo")


def test_unknown_and_repeated_edges():
    real, synthetic = named(expression(40, 60, 1)), named(expression(50, 60, 2))
    network = some_network(60, loops=False)
    expected = s_tf_tg(real, synthetic, network)
    noisy = pd.concat([network, network[:5], pd.DataFrame({"regulator": ["x", None],
                       "target": ["g1", "g2"]})])  # fmt: skip
    with pytest.warns(UserWarning, match=f"2 of {len(network) + 2} edges of network are left out"):
        assert s_tf_tg(real, synthetic, noisy) == expected


def test_no_pair_of_targets():
    real = named(expression(9, 6, 1))
    network = pd.DataFrame({"regulator": ["g0"], "target": ["g1"]})
    assert s_tf_tg(real, real, network) == pytest.approx(1)
    with pytest.warns(UndefinedMetricWarning, match="no regulator has two targets"):
        assert np.isnan(s_tg_tg(real, real, network))


def test_arrays_name_genes_by_number_and_given_tables_stay():
    real, synthetic = expression(40, 60, 1), expression(50, 60, 2)
    network = some_network(60, loops=True)
    numbers = network.map(lambda name: int(name[1:]))
    copies = real.copy(), synthetic.copy()
    expected = generation_report(named(real), named(synthetic), network)
    pd.testing.assert_series_equal(generation_report(real, synthetic, numbers), expected)
    np.testing.assert_array_equal(real, copies[0])
    np.testing.assert_array_equal(synthetic, copies[1])
