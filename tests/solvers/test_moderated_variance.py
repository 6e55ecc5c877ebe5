"""Variances of many genes are moderated by what genes have in common."""

import numpy as np

from omitrans.solvers._moderated_variance import moderate_variances


def test_the_parameters_of_simulated_variances_are_recovered():
    rng = np.random.default_rng(0)
    prior_freedom, common, freedom = 8.0, 0.3, 5
    true = prior_freedom * common / rng.chisquare(prior_freedom, 40_000)
    seen = true * rng.chisquare(freedom, len(true)) / freedom
    moderated, total = moderate_variances(seen, freedom)
    assert abs(total - freedom - prior_freedom) < 0.8
    expected = (prior_freedom * common + freedom * seen) / (prior_freedom + freedom)
    np.testing.assert_allclose(moderated, expected, rtol=0.1)


def test_equal_variances_become_one():
    seen = 2.0 * np.random.default_rng(1).chisquare(4, 5000) / 4
    moderated, total = moderate_variances(seen, 4)
    assert total > 100
    np.testing.assert_allclose(moderated, 2.0, rtol=0.25)


def test_a_gene_that_never_varies_stays_so():
    moderated, _ = moderate_variances(np.array([0.0, 1.0, 2.0, 0.5]), 3)
    assert moderated[0] == 0
    assert (moderated[1:] > 0).all()


def test_too_few_genes_to_learn_from_are_left_alone():
    moderated, freedom = moderate_variances(np.array([1.0, 3.0]), 4)
    np.testing.assert_array_equal(moderated, [1.0, 3.0])
    assert freedom == 4
