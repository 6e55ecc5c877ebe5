"""What TDimputeRegressor does beside transfer learning."""

import numpy as np
import pytest

from omitrans import TDimputeRegressor

AT_REST = 1e-30  # a learning rate at which weights stay where they are


def make_tdimpute(**params):
    defaults = {"n_hidden": 8, "max_epochs": 4, "batch_size": 16, "random_state": 0}
    return TDimputeRegressor(**defaults | params)


def test_predictions_stay_in_the_range_of_training(frames):
    X, Y = frames
    model = make_tdimpute(lr=0.5, max_epochs=30).fit(X, Y)
    predicted = model.predict(X * 100)
    assert predicted.min() >= Y.to_numpy().min() - 1e-5
    assert predicted.max() <= Y.to_numpy().max() + 1e-5


def test_published_scale(frames):
    X, Y = frames
    Y = Y.abs()
    model = make_tdimpute(target_scaling=16.5).fit(X, Y)
    assert (model.net_.target_scaling_.scale == 16.5).all()
    assert model.predict(X).max() <= 16.5


@pytest.mark.parametrize("scaling", ["none", "standard", 0.5])
def test_targets_out_of_the_range_of_a_sigmoid_are_refused(frames, scaling):
    with pytest.raises(ValueError, match="Use target_scaling='range'"):
        make_tdimpute(target_scaling=scaling).fit(*frames)
    make_tdimpute(target_scaling=scaling, output_sigmoid=False).fit(*frames)


def test_loss_is_one_root_a_batch(frames):
    X, Y = frames
    model = make_tdimpute(max_epochs=1, lr=AT_REST, batch_size=60).fit(X, Y)
    span = Y.to_numpy().max() - Y.to_numpy().min()
    expected = np.sqrt(np.mean((model.predict(X) - Y.to_numpy()) ** 2)) / span
    assert model.history_["train_reconstruction"].iloc[-1] == pytest.approx(expected, rel=1e-4)
