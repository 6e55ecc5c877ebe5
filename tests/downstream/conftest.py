from pathlib import Path

import numpy as np
import pandas as pd
import pytest

REFERENCE = Path(__file__).parent / "reference"


@pytest.fixture(scope="session")
def reference():
    """Return a reader of values that R computed; make_survival_reference.R says how."""
    return lambda name: pd.read_csv(REFERENCE / f"{name}.csv")


@pytest.fixture(scope="session")
def samples(reference):
    return reference("survival_samples")


@pytest.fixture
def cohort():
    """Return expression, times and events in which gene 0 shortens life."""
    rng = np.random.default_rng(3)
    expression = pd.DataFrame(
        rng.normal(size=(120, 30)),
        index=[f"s{i}" for i in range(120)],
        columns=[f"gene{i}" for i in range(30)],
    )
    death = rng.exponential(np.exp(-1.5 * expression["gene0"]) * 100)
    censored = rng.exponential(200, 120)
    index = expression.index
    time = pd.Series(np.minimum(death, censored).clip(0.5).round(1), index)
    return expression, time, pd.Series(death <= censored, index)
