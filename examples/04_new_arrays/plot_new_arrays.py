"""
=====================================
From a new array to genes to believe
=====================================

A model is trained on 450K arrays with RNA. Later come EPICv2 arrays, without RNA. Which genes can
be predicted for them, how closely, and for which of the samples is the model out of its depth?
"""

# %%
# A cohort with RNA
# -----------------
# Simulated: betas of 450K probes, log2(FPKM + 1) of genes. Some patients are set aside; their RNA
# is looked at only to see how it went.

import numpy as np
from sklearn.model_selection import GroupShuffleSplit

from omitrans.datasets import make_paired_omics

data = make_paired_omics(n_samples=400, n_probes=2000, n_genes=150, random_state=1)
patients = data.samples["patient"].to_numpy()
known, new = next(
    GroupShuffleSplit(1, test_size=0.25, random_state=0).split(data.X, groups=patients)
)

# %%
# A model with a trust card
# -------------------------
# :class:`~omitrans.trust.TrustedRegressor` cross-validates the pipeline before it fits it to all
# samples, and keeps what the folds say about each gene. With ``groups`` no patient is in two folds.

from omitrans.baselines import make_baselines
from omitrans.pipelines import make_translation_pipeline
from omitrans.trust import TrustedRegressor

ridge = make_baselines(["ridge"])["ridge"]
model = TrustedRegressor(
    make_translation_pipeline(ridge),
    source_unit="beta",
    target_unit="log2(FPKM + 1)",
    random_state=0,
)
model.fit(data.X.iloc[known], data.Y.iloc[known], groups=patients[known])
card = model.trust_card_
card.genes.sort_values("r2", ascending=False).head().round(2)

# %%
# EPICv2 arrays
# -------------
# They lack a fifth of the probes, have new ones, name probes with a suffix, and measure some of
# them more than once. The harmonizer at the head of the pipeline says what it makes of them.

from omitrans.datasets import simulate_array_version

arrays = simulate_array_version(data.X.iloc[new], "EPICv2", random_state=0)
harmonizer = model.estimator_["harmonizer"]
harmonizer.report(arrays).head(3)

# %%
# Predictions with intervals
# --------------------------
# One line. It warns that a fifth of the probes is missing; they are filled from the training
# samples, never from the samples at hand, so that each sample gets the same result alone and in
# company.

import warnings

import omitrans

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    expression = omitrans.predict_frame(model, arrays, intervals=0.9)
print(caught[0].message)
expression.iloc[:3, :6].round(2)

# %%
# How good are they?
# ------------------
# Here we know. The intervals hold about nine tenths of the real values of each gene, and R² is
# about that of the complete table.

from omitrans.displays import IntervalDisplay

truth = data.Y.iloc[new]
IntervalDisplay.from_predictions(truth, expression, level=0.9)

# %%

from omitrans.metrics import r2_per_feature

genes = card.genes.index[card.genes["predictable"]]
complete = omitrans.predict_frame(model, data.X.iloc[new])
for name, table in {"450K": complete, "EPICv2": expression}.items():
    r2 = r2_per_feature(truth[genes], table[genes])
    print(f"{name}: median R² of the {len(genes)} predictable genes {np.median(r2):.3f}")

# %%
# With fewer probes
# -----------------
# The card also says what to expect when more is missing; the line is this cohort's coverage.

from omitrans.displays import CoverageCurveDisplay

coverage = harmonizer.report(arrays)["coverage"]
CoverageCurveDisplay.from_trust_card(card, predictable_only=True, coverage=coverage)

# %%
# Samples the model was not made for
# ----------------------------------
# Betas of another tissue, say, are taken for what they are: far from anything in training. They are
# predicted all the same, with a warning.

odd = data.X.iloc[new].copy()
odd.iloc[:5] = odd.iloc[:5] ** 2
report = model.shift_report(odd)
report.head(7).round(3)

# %%

from omitrans.displays import ShiftDisplay

ShiftDisplay.from_estimator(model.shift_detector_, model.estimator_[:-1].transform(odd))

# %%
# All of it on one page
# ---------------------
# :func:`~omitrans.reports.prediction_report` writes samples, genes and figures to one HTML file;
# so does ``omitrans predict model.omitrans betas.csv.gz -o expression.parquet --intervals 0.9
# --report report.html``.
