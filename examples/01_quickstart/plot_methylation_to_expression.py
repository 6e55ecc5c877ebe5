"""
============================================
Predict gene expression from DNA methylation
============================================

A cohort has methylation arrays and RNA of the same samples. Which model predicts expression best
from methylation, and what does it say of patients who only have an array?

Everything here also comes from one command: ``omitrans demo --output DIR``.
"""

# %%
# A cohort
# --------
# The tables are simulated, so that nothing has to be downloaded and the truth is known: betas of
# CpG probes, some of them missing, and log2(FPKM + 1) of genes. Samples are rows. Some patients
# have several samples, such as a tumour and normal tissue.

from omitrans.datasets import make_paired_omics

data = make_paired_omics(n_samples=200, n_probes=800, n_genes=120, random_state=0)
data.X.iloc[:3, :5]

# %%
data.samples[["patient", "cancer_type", "sample_type"]].head(3)

# %%
# Some patients are set aside: they play new arrays without RNA. A patient must not stand on both
# sides of a split, or the model is tested on samples that it nearly knows.

from sklearn.model_selection import GroupShuffleSplit

splitter = GroupShuffleSplit(n_splits=1, test_size=0.2, random_state=0)
known, new = next(splitter.split(data.X, groups=data.samples["patient"]))
X, Y, patients = data.X.iloc[known], data.Y.iloc[known], data.samples["patient"].iloc[known]
X_new, Y_new = data.X.iloc[new], data.Y.iloc[new]

# %%
# The paper's recipe around four models
# -------------------------------------
# :func:`~omitrans.pipelines.make_translation_pipeline` drops unsuitable probes, drops those that
# are often missing, fills gaps with means, and sorts probes and genes along the genome. It is a
# scikit-learn Pipeline, so all of this is learned from training samples only.

import numpy as np
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from omitrans import OmiTransRegressor
from omitrans.baselines import LassoRegressor
from omitrans.pipelines import make_translation_pipeline

regressors = {
    "mean": DummyRegressor(),
    "ridge": make_pipeline(StandardScaler(), RidgeCV(alphas=np.logspace(1, 5, 13))),
    "LASSO": LassoRegressor(cv=3, n_alphas=8, eps=0.1),
    "OmiTrans": OmiTransRegressor(speed="fast"),  # without its networks: seconds instead of minutes
}
models = {
    name: make_translation_pipeline(
        regressor, probe_annotation=data.probes, gene_annotation=data.genes
    )
    for name, regressor in regressors.items()
}
models["OmiTrans"]

# %%
# Which one is best?
# ------------------
# Every model is fitted and tested on the same folds, split by patient. The nine numbers are those
# of the paper's Table 1. Read the R² per gene ("feature") first: 0 means no better than the
# gene's average. The R² per sample is high even for the mean profile, since genes differ far more
# from one another than samples do.

from omitrans.comparison import compare_models

comparison = compare_models(models, X, Y, cv=3, groups=patients)
comparison.summary().T.round(3)

# %%
# A dot is a fold. OmiTrans is a kernel regression, beside which networks get the share that they
# earn: :doc:`/user_guide/choosing` says when they earn one.

from omitrans.displays import ModelComparisonDisplay

ModelComparisonDisplay.from_results(comparison.results)

# %%
# Expression of new arrays
# ------------------------
# The model, now with networks, learns from all samples with RNA and predicts the others. The
# prediction is a table with sample and gene names.

from omitrans import predict_frame

model = models["OmiTrans"].set_params(
    regressor__regressor__speed="full",
    regressor__regressor__n_networks=2,  # five by default
    regressor__regressor__random_state=0,
)
model.fit(X, Y)
predicted = predict_frame(model, X_new)
predicted.iloc[:3, :5].round(2)

# %%
# Their real expression is known here. Some genes follow methylation and are predicted well, others
# do not, and no model will predict them.

from omitrans.displays import GenePredictionDisplay, R2HistogramDisplay

R2HistogramDisplay.from_predictions(Y_new, predicted)
GenePredictionDisplay.from_predictions(Y_new, predicted, n_genes=3)

# %%
# How much can be reached at all? The simulation knows for every gene the share of variance that
# its drivers explain.

from omitrans.metrics import r2_per_feature

genes = data.truth.genes
genes = genes[genes["predictable"]]
reached = r2_per_feature(Y_new, predicted)[genes.index] / genes["r2_ceiling"]
print(f"median ceiling: R² {genes['r2_ceiling'].median():.2f}")
print(f"median share of it that is reached: {reached.median():.0%}")

# %%
# How its networks learned: training ended when the loss of validation samples, set aside inside
# ``fit``, no longer fell, and the weights of the best epoch were kept.

from omitrans.displays import HistoryDisplay

HistoryDisplay.from_estimator(model)

# %%
# Keep the model
# --------------
# The file holds data only: loading it runs no code.

from pathlib import Path
from tempfile import TemporaryDirectory

import omitrans

with TemporaryDirectory() as folder:
    path = Path(folder) / "model.omitrans"
    omitrans.save(model, path)
    again = omitrans.load(path)
    print(f"{path.name}: {path.stat().st_size / 2**20:.1f} MiB")
np.array_equal(again.predict(X_new), model.predict(X_new))
