#!/usr/bin/env bash
# skorch ends a training on KeyboardInterrupt without passing it on, so a search around it goes on and
# scores the network that was cut short as if it had been trained.
#
# Versions: skorch 1.4.0, scikit-learn 1.9.1, torch 2.13.0.
# Seen: one interruption in the first of four fits; GridSearchCV returns, nothing is raised, and the fit
# that was cut short in its second epoch of five has a score beside the others.
# This script fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 skorch==1.4.0 scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import skorch
import torch
from sklearn.model_selection import GridSearchCV
from skorch import NeuralNetRegressor
from skorch.callbacks import Callback

epochs_of_each_fit = []


class PressCtrlC(Callback):
    """Behave like Ctrl-C in the second epoch of the first fit, and count the epochs of all fits."""

    def on_train_begin(self, net, **kwargs):
        epochs_of_each_fit.append(0)

    def on_epoch_end(self, net, **kwargs):
        epochs_of_each_fit[-1] += 1
        if epochs_of_each_fit == [2]:
            raise KeyboardInterrupt


rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3)).astype(np.float32)
y = X[:, :1]
net = NeuralNetRegressor(
    torch.nn.Linear, module__in_features=3, module__out_features=1,
    max_epochs=5, callbacks=[PressCtrlC()], verbose=0, train_split=None,
)
search = GridSearchCV(net, {"lr": [0.01, 0.1]}, cv=2, refit=False).fit(X, y)
scores = [search.cv_results_[f"split{fold}_test_score"][0] for fold in range(2)]
print(f"skorch {skorch.__version__}: epochs of the four fits {epochs_of_each_fit}, "
      f"scores of the first setting {np.round(scores, 3)}")
assert epochs_of_each_fit == [2, 5, 5, 5], epochs_of_each_fit
assert np.isfinite(scores).all()
PYTHON
