"""
=====================================================
Learn from other cancers: self, no transfer, transfer
=====================================================

A cohort with RNA of ten patients is too small to train a network on. TDimpute trains on other
cancers first and then goes on with the cohort. Is that better than the cohort alone, or than the
model of the others as it is? Here the three modes of the paper meet on each cancer type of a
simulated cohort.
"""

# %%
# Several cancer types
# --------------------
# Tumours of four cancer types, without gaps. From the expression of each training set its mean is
# taken off: cancers differ in their means, which is not what a model should have to learn.

import numpy as np
import pandas as pd

from omitrans.datasets import make_paired_omics

data = make_paired_omics(
    n_samples=480, n_probes=500, n_genes=100, n_cancer_types=4, missing_rate=0, random_state=0
)
tumours = data.samples["sample_type"] == "tumour"
X, Y, cancers = data.X[tumours], data.Y[tumours], data.samples["cancer_type"][tumours]
cancers.value_counts()

# %%
# Nine tenths without RNA
# -----------------------
# For one cancer type, a model learns from all others. Of its own samples only a tenth has RNA;
# with those the model is fine-tuned. :class:`~omitrans.model_selection.MissingRateSplit` draws
# them as the paper did.

from omitrans import TDimputeRegressor
from omitrans.model_selection import MissingRateSplit


def modes(target):
    """Return the mean correlation per gene of each mode on one cancer type, draw by draw."""
    mine = (cancers == target).to_numpy()
    settings = {"n_hidden": 300, "random_state": 0}
    others = TDimputeRegressor(**settings, max_epochs=150, batch_size=128)
    others.fit(X[~mine], Y[~mine] - Y[~mine].mean())
    rows = []
    split = MissingRateSplit([0.9], n_draws=3, random_state=0)
    for train, test in split.split(X[mine]):
        X_few, Y_few = X[mine].iloc[train], Y[mine].iloc[train]
        Y_few = Y_few - Y_few.mean()
        fitted = {
            "self": TDimputeRegressor(**settings, max_epochs=100).fit(X_few, Y_few),
            "noTF": others,
            "transfer": others.fine_tune(X_few, Y_few),
        }
        truth = Y[mine].iloc[test].to_numpy()
        for mode, model in fitted.items():
            rows.append((target, mode, mean_correlation(truth, model.predict(X[mine].iloc[test]))))
    return rows


def mean_correlation(truth, predicted):
    """Return the mean of Pearson's r over genes that vary."""
    varying = truth.std(axis=0) > 0
    truth, predicted = truth[:, varying], predicted[:, varying]
    truth, predicted = truth - truth.mean(axis=0), predicted - predicted.mean(axis=0)
    norms = np.linalg.norm(truth, axis=0) * np.linalg.norm(predicted, axis=0)
    return float(((truth * predicted).sum(axis=0) / norms).mean())


rows = [row for target in sorted(cancers.unique()) for row in modes(target)]
results = pd.DataFrame(rows, columns=["cancer", "mode", "r"])
table = results.pivot_table(index="cancer", columns="mode", values="r")
table = table[["self", "noTF", "transfer"]]
table.round(3)

# %%
# What comes of it
# ----------------
# Ten samples teach a network next to nothing. What other cancers teach carries over, and
# fine-tuning keeps it. The model of the others ranks samples about as well, but its errors are
# larger: see the benchmark in the user guide, section Transfer learning.

from matplotlib import pyplot as plt

axes = table.plot.barh(color=["#E69F00", "#0072B2", "#009E73"], width=0.75, figsize=(7, 3.6))
axes.invert_yaxis()
axes.set(xlabel="Mean correlation per gene (higher is better)", ylabel="")
axes.spines[["top", "right"]].set_visible(False)
axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
plt.tight_layout()
