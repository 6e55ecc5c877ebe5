"""
=========================================
Predict a cohort that has no expression
=========================================

The OmiTrans paper takes a model of the TCGA to brain tumours of which only methylation was
measured, and maps the predictions to see whether tumour types stay apart. A map is easily
believed. Here two numbers stand beside it that need no measured expression either: how many arrays
lie far from those of the training, and how many predictions lie nearest to their own tumour type.
"""

# %%
# Training samples, and arrays of another laboratory
# --------------------------------------------------
# Simulated tumours. The new cohort has methylation and a diagnosis, but no RNA. Its laboratory
# compresses M-values and shifts every probe, and one of its tumour types is not in the training.

import numpy as np
import pandas as pd

from omitrans.datasets import make_paired_omics
from omitrans.preprocessing import beta_to_m, m_to_beta

data = make_paired_omics(
    n_samples=330,
    n_probes=500,
    n_genes=150,
    n_cancer_types=5,
    normal_fraction=0,
    repeat_fraction=0,
    missing_rate=0,
    random_state=2,
)
types = data.samples["cancer_type"]
unseen = types.value_counts().index[-1]
new = np.arange(330) >= 250
training = ~new & (types != unseen).to_numpy()
X_train, Y_train, types_train = data.X[training], data.Y[training], types[training]
X_same_platform, types_new = data.X[new], types[new]

rng = np.random.default_rng(0)
M_new = 0.8 * beta_to_m(X_same_platform) + 0.3 + rng.normal(0, 2, X_train.shape[1])
pd.DataFrame({"training": types_train.value_counts(), "new": types_new.value_counts()})

# %%
# Onto the scale of the training
# ------------------------------
# Quantile normalisation maps each sample alone by rank, and leaves the shift of each probe.
# :class:`~omitrans.preprocessing.BatchAdjuster` learns shift and scale of each probe from the
# methylation of the whole new cohort; no expression is needed. It takes whatever is different for
# a batch effect, so both cohorts should hold about the same types in about the same shares.

from omitrans.preprocessing import BatchAdjuster, ReferenceQuantileNormalizer

adjuster = BatchAdjuster().fit(beta_to_m(X_train)).adapt(M_new)
arrays = {
    "as measured": m_to_beta(M_new),
    "quantile": ReferenceQuantileNormalizer().fit(X_train).transform(m_to_beta(M_new)),
    "batch": m_to_beta(adjuster.transform(M_new)),
}

# %%
# Predict, without truth
# ----------------------
# The default model without its networks, which is fitted in a moment.

from omitrans import OmiTransRegressor

model = OmiTransRegressor(speed="fast", random_state=0).fit(X_train, Y_train)
predictions = {
    name: pd.DataFrame(model.predict(table), table.index, Y_train.columns)
    for name, table in arrays.items()
}

# %%
# One map of measured and predicted profiles
# ------------------------------------------
# Circles are measured training samples, crosses predictions for the new cohort. Predictions lie
# closer together than measured samples do: what methylation does not tell is missing in them. The
# type that training does not hold has crosses but no circles, and lies among the others.

from matplotlib import pyplot as plt

from omitrans.displays import EmbeddingDisplay

figure, axes = plt.subplots(1, 2, figsize=(12, 4.6))
for ax, name in zip(axes, ["as measured", "batch"], strict=True):
    EmbeddingDisplay.from_cohorts(
        Y_train,
        predictions[name],
        real_labels=types_train,
        predicted_labels=types_new,
        random_state=0,
        ax=ax,
    )
    ax.set_title(f"arrays: {name}")
axes[0].get_legend().remove()
plt.tight_layout()

# %%
# Two numbers for it
# ------------------
# The nearest type is that whose mean in the training is nearest to the profile. Beside predicted
# expression, the same is asked of methylation itself, without a model of expression: predictions
# are made from methylation, and cannot know more of the type than it does. The control always
# names the most frequent type.

from scipy.spatial.distance import cdist

from omitrans.trust import DomainShiftDetector


def nearest_type(table, profiles):
    """Return the type whose mean in a training table is nearest to each profile."""
    deviation = table.std().replace(0, 1)
    means = table.groupby(types_train).mean()
    return means.index[cdist(profiles / deviation, means / deviation).argmin(axis=1)]


known = (types_new != unseen).to_numpy()
detector = DomainShiftDetector(random_state=0).fit(X_train)
rows = {}
for name, table in arrays.items():
    flagged = detector.predict(table) == -1
    rows[name] = {
        "flagged, known types": flagged[known].mean(),
        "flagged, unseen type": flagged[~known].mean(),
        "own type, predicted": (nearest_type(Y_train, predictions[name]) == types_new)[
            known
        ].mean(),
        "own type, methylation": (nearest_type(X_train, table) == types_new)[known].mean(),
        "own type, most frequent": (types_new == types_train.mode()[0])[known].mean(),
    }
pd.DataFrame(rows).round(2)

# %%
# The detector flags all arrays as they were measured: do not believe these predictions as they are.
# Adjusting the batch makes the arrays look like the training, as it is made to do. Known types are
# then found nearly always. But the unseen type is hardly flagged any more, though every prediction
# for it stands nearest to a type that it is not:

pd.Series(nearest_type(Y_train, predictions["batch"])[~known]).value_counts()

# %%
# On the platform of the training, without any adjustment, the detector flags some of them:

(detector.predict(X_same_platform) == -1)[~known].mean().round(2)

# %%
# What the truth would say
# ------------------------
# These data are simulated, so that we can look. Within a gene, samples are ranked about as well on
# all three scales; the error in log2 units is much smaller after the adjustment. Types that stay
# apart on the map tell little of either.

truth = data.Y[new]
truth = truth.loc[:, truth.std() > 0]
pd.DataFrame(
    {
        name: {
            "mean correlation per gene": truth.corrwith(table[truth.columns]).mean(),
            "RMSE": np.sqrt(((truth - table[truth.columns]) ** 2).to_numpy().mean()),
        }
        for name, table in predictions.items()
    }
).round(2)
