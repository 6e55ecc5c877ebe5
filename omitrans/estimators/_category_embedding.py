"""The learned vectors of covariates, which imputers and generators return alike."""

from typing import Any

import pandas as pd
from sklearn.utils.validation import check_is_fitted

from omitrans.covariates import CovariateEncoder


class CategoryEmbeddingMixin:
    """Method of estimators whose network ``net_.module_`` embeds its ``covariates_``."""

    covariates_: CovariateEncoder
    net_: Any

    def category_embedding(self, covariate: str | int | None = None) -> pd.DataFrame:
        """Return the learned vectors of a covariate's categories (Figure 3 of the paper).

        Parameters
        ----------
        covariate : str or int, default=None
            Name of the covariate, or its position if X had no names. None takes the only
            categorical covariate.

        Returns
        -------
        DataFrame of shape (n_categories, n_dimensions)
            One vector per category, indexed by category.

        Raises
        ------
        ValueError
            If there is no categorical covariate of this name.

        See Also
        --------
        omitrans.displays.CategoryEmbeddingDisplay : Draw the vectors in two dimensions.
        """
        check_is_fitted(self, "net_")
        names = self.covariates_.labels("categorical")
        if covariate is None and len(names) == 1:
            covariate = names[0]
        if str(covariate) not in names:
            raise ValueError(
                f"covariate={covariate!r} is none of the categorical covariates seen in fit: "
                f"{names}. Give one of these."
            )
        j = names.index(str(covariate))
        weight = self.net_.module_.covariates.embeddings[j].weight.detach().cpu().numpy()
        index = pd.Index(self.covariates_.categories_[j], name=names[j])
        columns = [f"embedding{i}" for i in range(weight.shape[1])]
        return pd.DataFrame(weight[1:], index=index, columns=columns)
