"""Ctrl-C: a fit that the user called keeps what it has learned, a longer work ends."""

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from omitrans.comparison import compare_models
from omitrans.exceptions import TrainingInterrupted
from omitrans.networks._blocks import Linear
from omitrans.trust import TrustedRegressor


class CtrlC(nn.Module):
    """A generator in whose training Ctrl-C is pressed once."""

    batches_left = 0

    def __init__(self, n_source, n_target):
        super().__init__()
        self.linear = Linear(n_source, n_target)

    def forward(self, X):
        if self.training:
            CtrlC.batches_left -= 1
            if CtrlC.batches_left == 0:
                raise KeyboardInterrupt
        return self.linear(X)


@pytest.fixture
def interrupted(quick):
    """Return a model whose first training is interrupted in its fourth epoch."""
    CtrlC.batches_left = 14
    return quick(generator=CtrlC, adversarial_loss=None, early_stopping=False, max_epochs=20)


def search(model, X, Y):
    GridSearchCV(model, {"lr": [1e-3, 1e-2]}, cv=2).fit(X, Y)


def search_in_a_wrapper_of_ones_own(model, X, Y):
    class Own(TransformedTargetRegressor):
        """A user's class between the search and the model."""

    GridSearchCV(Own(model), {"regressor__lr": [1e-3]}, cv=2).fit(X, Y)


LOOPS = {
    "GridSearchCV": search,
    "GridSearchCV, own wrapper": search_in_a_wrapper_of_ones_own,
    "cross_val_score": lambda model, X, Y: cross_val_score(model, X, Y, cv=2),
    "MultiOutputRegressor": lambda model, X, Y: MultiOutputRegressor(model).fit(X, Y),
    "TrustedRegressor": lambda model, X, Y: TrustedRegressor(model, cv=2, random_state=0).fit(X, Y),
    "compare_models": lambda model, X, Y: compare_models({"model": model}, X, Y, cv=2),
}


@pytest.mark.parametrize("loop", LOOPS)
def test_a_longer_work_ends(loop, interrupted, frames):
    with pytest.raises(KeyboardInterrupt):
        LOOPS[loop](interrupted, *frames)
    assert CtrlC.batches_left == 0  # nothing was trained afterwards


DIRECT = {
    "alone": lambda model: model,
    "Pipeline": lambda model: make_pipeline(StandardScaler(), model),
    "TransformedTargetRegressor": lambda model: TransformedTargetRegressor(
        model, transformer=StandardScaler()
    ),
}


@pytest.mark.parametrize("wrapped", DIRECT)
def test_a_fit_called_directly_keeps_what_it_has(wrapped, interrupted, frames):
    X, Y = frames
    with pytest.warns(TrainingInterrupted, match="in epoch 4 of 20; the model holds the last"):
        model = DIRECT[wrapped](interrupted).fit(X, Y)
    assert np.isfinite(model.predict(X)).all()
