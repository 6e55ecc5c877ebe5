"""GeneNetworkSimulator: expression that follows a known network and nothing else."""

import numpy as np
import pandas as pd
import pytest

from omitrans.baselines import GeneNetworkSimulator
from omitrans.metrics import s_tf_tg

GENES = ["crp", "lacZ", "malT", "malP", "recA", "flhD"]
NETWORK = pd.DataFrame(
    {
        "regulator": ["crp", "crp", "malT"],
        "target": ["lacZ", "malT", "malP"],
        "effect": ["activator", "-", 1],
    }
)
every_flavour = pytest.mark.parametrize("flavour", ["syntren", "genenetweaver"])


def tables(n=400):
    """Return covariates and independent expression, whose genes differ in mean and spread."""
    rng = np.random.default_rng(0)
    expression = rng.normal([8, 3, 5, 6, 10, 1], [2, 0.5, 1, 1, 3, 0.1], size=(n, 6))
    covariates = pd.DataFrame({"strain": ["K-12", "BL21"] * (n // 2)})
    return covariates, pd.DataFrame(expression, columns=GENES)


def draws(network=NETWORK, n_samples=5, **options):
    covariates, expression = tables()
    model = GeneNetworkSimulator(network, random_state=0, **options).fit(covariates, expression)
    return model.sample_y(covariates, n_samples=n_samples, random_state=0)


@every_flavour
def test_targets_follow_their_regulators(flavour):
    r = draws(flavour=flavour).corr(method="spearman")
    assert r.loc["crp", "lacZ"] > 0.2
    assert r.loc["crp", "malT"] < -0.2
    assert r.loc["malT", "malP"] > 0.2


@every_flavour
def test_mean_and_spread_are_those_of_the_expression(flavour):
    drawn, (_, expression) = draws(flavour=flavour, n_samples=20), tables()
    assert ((drawn.mean() - expression.mean()).abs() < 0.1 * expression.std()).all()
    np.testing.assert_allclose(drawn.std(), expression.std(), rtol=0.15)


def test_without_noise_a_target_is_a_function_of_its_regulator():
    r = draws(biological_noise=0.0).corr(method="spearman")
    assert r.loc["crp", "lacZ"] == pytest.approx(1)
    assert r.loc["crp", "malP"] == pytest.approx(-1)


@every_flavour
def test_more_noise_hides_the_network(flavour):
    little, much = (
        draws(flavour=flavour, experimental_noise=scale).corr(method="spearman")
        for scale in (0.0, 2.0)
    )
    assert 0.05 < much.loc["crp", "lacZ"] < little.loc["crp", "lacZ"] - 0.1


def test_genes_without_edges_are_normal_noise():
    drawn = draws()
    r = drawn.corr()[["recA", "flhD"]].mask(np.eye(6, dtype=bool)[:, 4:])
    assert r.abs().max(axis=None) < 0.08
    assert drawn["recA"].sub(10).div(3).abs().max() > 3
    assert abs(drawn["recA"].kurt()) < 0.3


def test_simulated_background_is_that_of_inputs():
    drawn = draws(background="simulated", biological_noise=0.0)
    assert drawn["recA"].kurt() == pytest.approx(-1.2, abs=0.1)  # a uniform distribution
    assert drawn.corr().loc["recA", "flhD"] == pytest.approx(0, abs=0.08)


def test_without_a_network_all_genes_are_independent():
    assert (draws(None).corr().to_numpy() - np.eye(6) < 0.08).all()


def test_edges_in_use_are_shown():
    twice = pd.concat([NETWORK, NETWORK], ignore_index=True)
    model = GeneNetworkSimulator(twice, random_state=0).fit(*tables())
    assert sorted(map(tuple, model.edges_.to_numpy().tolist())) == [
        ("crp", "lacZ", 1),
        ("crp", "malT", -1),
        ("malT", "malP", 1),
    ]


def test_the_sign_of_an_edge_with_two_effects_is_drawn():
    both = pd.concat([NETWORK, NETWORK.assign(effect="-")], ignore_index=True)
    signs = {
        tuple(GeneNetworkSimulator(both, random_state=seed).fit(*tables()).edges_["effect"])
        for seed in range(8)
    }
    assert len(signs) > 2
    assert all(len(sign) == len(NETWORK) for sign in signs)


def test_signs_that_nobody_knows_are_drawn():
    network = NETWORK.drop(columns="effect")
    signs = {
        tuple(GeneNetworkSimulator(network, random_state=seed).fit(*tables()).edges_["effect"])
        for seed in range(20)
    }
    assert len(signs) > 3


def test_cycles_stay_with_genenetweaver_only():
    back = pd.DataFrame({"regulator": ["malP", "crp"], "target": ["crp", "crp"], "effect": "-"})
    network = pd.concat([NETWORK, back], ignore_index=True)
    n_edges = {
        (flavour, keep): len(
            GeneNetworkSimulator(network, flavour=flavour, keep_cycles=keep, random_state=0)
            .fit(*tables())
            .edges_
        )
        for flavour in ("syntren", "genenetweaver")
        for keep in (True, False)
    }
    assert n_edges.pop(("genenetweaver", True)) == 5
    assert set(n_edges.values()) == {3}


def test_a_genenetweaver_row_is_the_same_alone():
    covariates, expression = tables(80)
    model = GeneNetworkSimulator(NETWORK, flavour="genenetweaver", random_state=0)
    whole = model.fit(covariates, expression).sample_y(covariates, random_state=1)
    for n_rows in (1, 70):
        part = model.sample_y(covariates.head(n_rows), random_state=1)
        np.testing.assert_allclose(part, whole.head(n_rows), rtol=1e-9)


def test_scores_along_the_network_are_better_than_those_of_noise():
    """A simulator of the true network must find its correlations again."""
    covariates, _ = tables()
    real = draws(n_samples=2).reset_index(drop=True)
    covariates = pd.concat([covariates] * 2, ignore_index=True)
    scores = {}
    for name, network in {"network": NETWORK, "noise": None}.items():
        model = GeneNetworkSimulator(network, random_state=1).fit(covariates, real)
        drawn = model.sample_y(covariates, n_samples=3, random_state=0)
        scores[name] = s_tf_tg(real, drawn, NETWORK)
    assert scores["network"] > 0.9
    assert abs(scores["noise"]) < 0.7


def test_edges_with_unknown_genes_are_left_out():
    other = pd.DataFrame({"regulator": ["crp", "fnr"], "target": ["araB", "lacZ"], "effect": 1})
    model = GeneNetworkSimulator(pd.concat([NETWORK, other]), random_state=0)
    with pytest.warns(UserWarning, match=r"2 of 5 edges of network .* not in y\."):
        model.fit(*tables())
    assert len(model.edges_) == 3


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (NETWORK.rename(columns={"target": "gene"}), r"lacks the columns \['target'\]"),
        (NETWORK.assign(target="araB"), "None of the 2 edges of network joins two genes in y"),
        (NETWORK.head(0), "None of the 0 edges"),
        (NETWORK.assign(target=NETWORK["regulator"]), "2 edges .* are self-loops"),
        (NETWORK.assign(effect="strong"), r"effect of the network holds \['strong'\]"),
        (["crp", "lacZ"], "network"),
    ],
)
def test_unusable_networks_are_refused(network, message):
    with pytest.raises((ValueError, TypeError), match=message):
        GeneNetworkSimulator(network, random_state=0).fit(*tables())
