"""Which column of a table is what, and covariates as numbers."""
