import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from omitrans.displays import HistoryDisplay
from omitrans.trust import TrustedRegressor

pytestmark = pytest.mark.usefixtures("pyplot")


@pytest.fixture
def history():
    return pd.DataFrame(
        {
            "epoch": [1, 2, 3, 4],
            "train_reconstruction": [4.0, 2.0, 1.0, 0.5],
            "valid_reconstruction": [5.0, 3.0, 2.0, 2.5],
            "train_adversarial": [0.7, 0.6, 0.7, 0.8],
            "train_discriminator": [0.6, 0.7, 0.6, 0.5],
            "lr": [1e-4] * 4,
            "seconds": [2.0] * 4,
        }
    )


class Trained(Ridge):
    """Keeps a history as an estimator trained in epochs does."""

    def fit(self, X, y):
        super().fit(X, y)
        self.history_ = pd.DataFrame({"epoch": [1, 2], "train_distance": [2.0, 1.0]})
        self.best_epoch_ = 2
        return self


def curves(ax):
    return {line.get_label(): line.get_ydata() for line in ax.lines}


def test_terms_stand_in_their_panels(history):
    reconstruction, adversarial = HistoryDisplay(history).plot().ax_
    assert reconstruction.get_ylabel() == "Reconstruction loss"
    assert list(curves(reconstruction)) == ["training reconstruction", "validation reconstruction"]
    assert adversarial.get_ylabel() == "Adversarial loss"
    assert list(curves(adversarial)) == ["training adversarial", "training discriminator"]
    assert_array_equal(
        curves(reconstruction)["validation reconstruction"], history["valid_reconstruction"]
    )
    assert_array_equal(reconstruction.lines[0].get_xdata(), history["epoch"])


def test_each_network_has_a_curve_and_one_entry_in_the_legend(history):
    several = pd.concat([history.assign(network=1), history[:2].assign(network=2)])
    ax = HistoryDisplay(several).plot().ax_[0]
    assert [len(line.get_xdata()) for line in ax.lines] == [4, 2, 4, 2]
    colors = [line.get_color() for line in ax.lines]
    assert colors[0] == colors[1] != colors[2] == colors[3]
    shown = [text.get_text() for text in ax.get_legend().get_texts()]
    assert shown == ["training reconstruction", "validation reconstruction"]


def test_best_epochs_of_several_networks_are_not_marked(rng):
    X, y = rng.random((8, 2)), rng.random(8)
    model = Trained().fit(X, y)
    assert HistoryDisplay.from_estimator(model).best_epoch == 2
    model.best_epoch_ = np.array([2, 1])
    assert HistoryDisplay.from_estimator(model).best_epoch is None


def test_index_numbers_the_epochs_without_a_column(history):
    display = HistoryDisplay(history.set_index("epoch")).plot()
    assert_array_equal(display.ax_[0].lines[0].get_xdata(), [1, 2, 3, 4])


def test_best_epoch_is_marked(history):
    for ax in HistoryDisplay(history, best_epoch=3).plot().ax_:
        assert_array_equal(curves(ax)["best epoch 3"], [0, 1])
        assert list(ax.lines[-1].get_xdata()) == [3, 3]


def test_one_panel_without_adversarial_terms(history):
    display = HistoryDisplay(history[["epoch", "train_reconstruction"]]).plot()
    assert len(display.ax_) == len(display.figure_.axes) == 1


def test_losses_never_recorded_are_left_out(history):
    history["valid_reconstruction"] = np.nan
    ax = HistoryDisplay(history).plot().ax_[0]
    assert list(curves(ax)) == ["training reconstruction"]


def test_a_single_epoch_can_be_seen(history):
    ax = HistoryDisplay(history[:1]).plot().ax_[0]
    assert ax.lines[0].get_marker() == "o"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: model,
        lambda model: make_pipeline(StandardScaler(), model),
        lambda model: TransformedTargetRegressor(model, transformer=StandardScaler()),
        lambda model: GridSearchCV(make_pipeline(model), {"trained__alpha": [1.0, 2.0]}, cv=2),
        lambda model: TrustedRegressor(TransformedTargetRegressor(model), cv=2, random_state=0),
    ],
    ids=["alone", "pipeline", "target", "search", "trusted target"],
)
def test_from_estimator_looks_inside(wrap):
    rng = np.random.default_rng(0)
    model = wrap(Trained()).fit(rng.normal(size=(20, 3)), rng.normal(size=(20, 2)))
    display = HistoryDisplay.from_estimator(model)
    assert display.best_epoch == 2
    assert list(display.history["train_distance"]) == [2.0, 1.0]


def test_estimator_without_history():
    with pytest.raises(ValueError, match="Pipeline has no history_"):
        HistoryDisplay.from_estimator(make_pipeline(StandardScaler(), Ridge()))


def test_no_losses():
    with pytest.raises(ValueError, match=r"no losses.*Found epoch, lr\."):
        HistoryDisplay(pd.DataFrame({"epoch": [1], "lr": [0.1]})).plot()
