import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from omitrans.preprocessing import BetaToM, beta_to_m, m_to_beta


def test_definition():
    beta = np.linspace(0.01, 0.99, 33)[:, None]
    assert_allclose(beta_to_m(beta), np.log2(beta / (1 - beta)), atol=1e-12)
    m = np.linspace(-9, 9, 33)[:, None]
    assert_allclose(m_to_beta(m), 2**m / (2**m + 1), rtol=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 1), st.floats(1e-9, 0.4))
def test_round_trip_within_the_offset(beta, offset):
    back = m_to_beta(beta_to_m([[beta]], offset=offset))
    assert abs(back.item() - beta) <= offset + 1e-12


def test_ends_are_finite_and_symmetric():
    m = beta_to_m([[0.0, 1.0]], offset=1e-3)
    assert_allclose(m, [[-np.log2(999), np.log2(999)]])


def test_missing_values_pass():
    assert np.isnan(beta_to_m([[np.nan, 0.5]])).tolist() == [[True, False]]
    assert np.isnan(m_to_beta([[np.nan, 0.5]])).tolist() == [[True, False]]


def test_input_is_left_alone():
    beta = np.array([[0.0, 0.3]])
    beta_to_m(beta)
    m_to_beta(beta)
    assert beta.tolist() == [[0.0, 0.3]]


def test_functions_and_transformer_agree_on_frames():
    X = pd.DataFrame({"cg1": [0.1, np.nan], "cg2": [0.0, 1.0]}, index=["a", "b"], dtype=np.float32)
    m = beta_to_m(X)
    assert set(m.dtypes) == {np.dtype(np.float32)}
    pd.testing.assert_frame_equal(BetaToM(unit="beta").fit_transform(X), m)
    pd.testing.assert_frame_equal(BetaToM().fit(X).inverse_transform(m), m_to_beta(m))


@pytest.mark.parametrize("bad", [-0.01, 1.01, np.inf])
def test_functions_refuse_what_is_no_beta(bad):
    with pytest.raises(ValueError, match=r"beta is declared to hold beta values"):
        beta_to_m([[0.5, bad]])


def test_declared_betas():
    m_values = np.array([[-3.0, 2.0]])
    assert_allclose(BetaToM(offset=0.25).fit_transform(m_values), [[-np.log2(3), np.log2(3)]])
    with pytest.raises(ValueError, match="look like M-values"):
        BetaToM(unit="beta").fit(m_values)
    fitted = BetaToM(unit="beta").fit([[0.1, 0.2]])
    with pytest.raises(ValueError, match="look like M-values"):
        fitted.transform(m_values)


@pytest.mark.parametrize("offset", [0, 0.5, -1e-3])
def test_bad_offset(offset):
    with pytest.raises(ValueError, match="'offset' parameter"):
        BetaToM(offset=offset).fit([[0.5]])
    with pytest.raises(ValueError, match="'offset' parameter"):
        beta_to_m([[0.5]], offset=offset)
