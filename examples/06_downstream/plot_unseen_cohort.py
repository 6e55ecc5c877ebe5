"""
=====================================================
An unseen cohort: normalise, fine-tune half, and test
=====================================================

TDimpute was taken from the TCGA to the Wilms tumours of another project, TARGET, like this: each
sample of the new cohort is given the distribution of values of the TCGA, a random half with
expression goes on with the training, and the other half is predicted. Here the same is done on a
simulated cohort from another array and another sequencing protocol, beside what is simpler.
"""

# %%
# A training cohort, and another tumour on another platform
# ---------------------------------------------------------
# Two tumour types to learn from, and 60 tumours of a third.

import numpy as np
import pandas as pd

from omitrans.datasets import make_paired_omics

data = make_paired_omics(
    n_samples=300,
    n_probes=400,
    n_genes=120,
    n_cancer_types=3,
    normal_fraction=0,
    repeat_fraction=0,
    missing_rate=0,
    random_state=0,
)
kinds = data.samples["cancer_type"]
new = kinds == kinds.value_counts().index[1]
X_train, Y_train = data.X[~new], data.Y[~new]
X_same, truth = data.X[new][:60], data.Y[new][:60]

# %%
# The new laboratory compresses M-values and shifts each probe, and its array is EPICv2, which
# lacks a fifth of the probes. Its expression has another scale, and each gene a shift of its own.

from omitrans.datasets import simulate_array_version
from omitrans.preprocessing import beta_to_m, m_to_beta

rng = np.random.default_rng(0)
M = beta_to_m(X_same) * rng.normal(0.8, 0.05, (60, 1)) + rng.normal(0.3, 0.1, (60, 1))
M = M + rng.normal(0, 0.4, M.shape[1])
arrays = simulate_array_version(m_to_beta(M), "EPICv2", random_state=0)
measured = truth * rng.normal(1.1, 0.05, (60, 1)) - 0.5 + rng.normal(0, 0.6, truth.shape[1])
measured = measured.clip(lower=0)

# %%
# Onto the platform of the training
# ---------------------------------
# The harmonizer finds the probes by name and fills those that the array lacks. Then there are two
# ways to take out the rest. Quantile normalisation maps each sample alone, by rank, to the
# distribution of the training samples; it can correct what is alike for all probes of a sample. The
# batch adjuster corrects each probe, and needs samples of the new cohort to learn that from: only
# the half that may be looked at.

import warnings

from omitrans.preprocessing import ArrayHarmonizer, BatchAdjuster, ReferenceQuantileNormalizer

harmonizer = ArrayHarmonizer(missing="components").fit(X_train)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # a fifth of the probes is missing, as said
    X_new = harmonizer.transform(arrays)
X_train = harmonizer.transform(X_train)

order = rng.permutation(60)
tune, test = order[:30], order[30:]


def to_training(training, table, method):
    """Return training samples and the new ones on one scale."""
    if method == "quantile":
        normalizer = ReferenceQuantileNormalizer().fit(training)
        return normalizer.transform(training), normalizer.transform(table)
    if method == "batch":
        return training, BatchAdjuster().fit(training).adapt(table.iloc[tune]).transform(table)
    return training, table


# %%
# Fine-tune on one half, test on the other
# ----------------------------------------
# A network learns from the training cohort (zero-shot) and goes on with the tuning half
# (fine-tuned). Beside it: ridge regression of the training cohort, the same with the mean of its
# residuals in the tuning half added (recentred), and ridge regression of the tuning half alone.
# The control is the mean of the tuning half, whatever the methylation says.

from omitrans import TDimputeRegressor
from omitrans.baselines import make_baselines


def predict(method):
    """Return the measured test half and its predictions, all on the scale of training."""
    X, X_other = to_training(X_train, X_new, method)
    Y, Y_other = to_training(Y_train, measured, method)
    X_tune, Y_tune, X_test = X_other.iloc[tune], Y_other.iloc[tune], X_other.iloc[test]
    ridge = make_baselines(["ridge"])["ridge"].fit(X, Y)
    few = make_baselines(["ridge"])["ridge"].fit(X_tune, Y_tune)
    network = TDimputeRegressor(n_hidden=200, lr=1e-3, max_epochs=40, random_state=0)
    network.fit(X, Y)
    tuned = network.fine_tune(X_tune, Y_tune, max_epochs=40)
    shift = (Y_tune - ridge.predict(X_tune)).mean().to_numpy()
    return Y_other.iloc[test], {
        "mean of the tuning half": np.tile(Y_tune.mean(), (len(test), 1)),
        "ridge, tuning half only": few.predict(X_test),
        "ridge, zero-shot": ridge.predict(X_test),
        "ridge, recentred": ridge.predict(X_test) + shift,
        "TDimpute, zero-shot": network.predict(X_test),
        "TDimpute, fine-tuned": tuned.predict(X_test),
    }


def scores(real, guess):
    """Return the mean correlation per gene, and the error in deviations of the genes."""
    varying = real.std() > 0
    real, guess = real.loc[:, varying].to_numpy(), np.asarray(guess)[:, varying]
    error = np.sqrt(np.mean((real - guess) ** 2) / np.mean(real.var(axis=0)))
    real, guess = real - real.mean(axis=0), guess - guess.mean(axis=0)
    norms = np.linalg.norm(real, axis=0) * np.linalg.norm(guess, axis=0)
    r = np.where(guess.std(axis=0) > 1e-6, (real * guess).sum(axis=0) / np.maximum(norms, 1e-9), 0)
    return {"r": r.mean(), "RMSE": error}


rows = []
for method in ("none", "quantile", "batch"):
    real, predictions = predict(method)
    for name, guess in predictions.items():
        rows.append({"normalisation": method, "model": name} | scores(real, guess))
results = pd.DataFrame(rows)
table = results.pivot_table(["r", "RMSE"], "model", "normalisation", sort=False)
table = table[["r", "RMSE"]]
table.round(2)

# %%
# What comes of it
# ----------------
# A correlation ranks samples within a gene; the error also asks for the right level. As long as
# nothing or only quantile normalisation is done, the zero-shot models rank well and yet are further
# off than the mean of the tuning half: each gene has a shift of its own. To learn these shifts
# repairs most of it, be it by the batch adjuster, by the mean of the residuals, or by fine-tuning.
# Ridge regression ranks worse when it learns from the tuning half alone, and better than this
# network, whose training is short. One half of one cohort is little evidence: there is more under
# :doc:`/user_guide/unseen_cohort`.

from matplotlib import pyplot as plt

figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True)
for ax, score in zip(axes, ["r", "RMSE"], strict=True):
    table[score].plot.barh(ax=ax, color=["0.7", "#E69F00", "#0072B2"], width=0.75, legend=False)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_ylabel("")
axes[0].set_xlabel("Mean correlation per gene (higher is better)")
axes[1].set_xlabel("RMSE in deviations of the genes (lower is better)")
axes[1].axvline(1, color="black", linewidth=0.8, linestyle=":")
axes[0].invert_yaxis()
axes[1].legend(title="normalisation", frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
plt.tight_layout()
