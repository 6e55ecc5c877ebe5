"""
=====================================
Fill the holes of many transcriptomes
=====================================

Half of the values of some samples are missing. Their tissue, sex and age are known, and there are
other samples, of other donors, without holes. How well can the missing values be told, and by what?
"""

# %%
# Tissues of donors
# -----------------
# Simulated, in the form in which :func:`omitrans.io.read_gtex` gives real ones: one frame of
# log2(TPM + 1) and covariates. Donors are kept together: the samples with holes are of others.

from sklearn.model_selection import GroupShuffleSplit

from omitrans.datasets import hide_values, make_expression

data = make_expression(n_samples=320, n_genes=120, n_tissues=10, random_state=0)
covariates = ["tissue", "sex", "cohort", "age"]
split = GroupShuffleSplit(1, test_size=0.25, random_state=0)
train, test = next(split.split(data.X, groups=data.samples["donor"]))
holes, hidden = hide_values(data.X.iloc[test], 0.5, exclude=covariates, random_state=0)
holes.iloc[:4, :5]

# %%
# Fit once, fill any sample
# -------------------------
# :class:`~omitrans.PMIImputer` learns from whole samples by hiding values from itself.

from omitrans import PMIImputer

roles = {"categorical_covariates": ["tissue", "sex", "cohort"], "numeric_covariates": ["age"]}
imputer = PMIImputer(**roles, random_state=0).set_output(transform="pandas")
filled = imputer.fit(data.X.iloc[train]).transform(holes)
filled.iloc[:4, :5]

# %%
# Within the tissue
# -----------------
# Between tissues genes differ so much that knowing the tissue explains a lot. The harder question
# is what of the differences *within* a tissue is recovered: a box is a tissue, each gene one value.

from omitrans.displays import GroupR2Display

truth = data.expression.iloc[test]
GroupR2Display.from_imputation(truth, filled, hidden, data.X["tissue"].iloc[test])

# %%
# Against other methods
# ---------------------
# The same holes for all. Ridge regression on the genes that a sample has is a strong rival where
# genes depend linearly on programmes, as they do here.

from omitrans.baselines import make_imputers
from omitrans.comparison import compare_imputers
from omitrans.displays import MissingRateDisplay

models = make_imputers(["median", "knn-5", "ridge"], **roles, tissue="tissue", random_state=0)
models["pmi"] = PMIImputer(**roles, random_state=0)
comparison = compare_imputers(
    models,
    data.X,
    covariates=covariates,
    missing_rates=[0.2, 0.5, 0.9],
    n_masks=1,
    cv=[(train, test)],
    groups=data.samples["donor"],
    random_state=0,
)
MissingRateDisplay.from_comparison(comparison, metric="median_r2_per_feature")

# %%
comparison.summary(0.5)

# %%
# What was learned of the tissues
# -------------------------------
# Each tissue has become a vector. Those of one family, which share programmes, should be near.

from omitrans.displays import CategoryEmbeddingDisplay

CategoryEmbeddingDisplay.from_imputer(imputer, "tissue", families=data.truth.families)

# %%
# How sure?
# ---------
# Several draws in place of one answer. The mean of a gene over these samples, with an interval that
# knows how much was missing:

from omitrans.metrics import pool_estimates

draws = imputer.transform_samples(holes, n_draws=10, random_state=0)
pooled = pool_estimates(
    [draw.mean() for draw in draws],
    [draw.var() / len(draw) for draw in draws],
    df=len(holes) - 1,
)
pooled.assign(truth=truth.mean()).iloc[:5].round(3)
