"""Posterior variance of a kernel regression: how little the training samples tell of a new one."""

import numpy as np

from omitrans.solvers._kernel_family import (
    FeatureScaling,
    even_product,
    new_similarities,
    training_similarities,
)
from omitrans.solvers._kernel_mixture import KernelMixture
from omitrans.solvers._kernels import KernelEigen
from omitrans.solvers._workers import Workers


class KernelPosterior:
    """What is uncertain in kernel regressions on some training samples.

    The kernel of the training samples is made anew, so that a model need not keep it.

    Parameters
    ----------
    training : ndarray of shape (n_samples, n_features)
        Training samples.
    scaling : FeatureScaling
        Scaling of the features.
    mixture : KernelMixture
        Mixture of kernels.
    workers : Workers
        Threads to use.
    """

    def __init__(
        self,
        training: np.ndarray,
        scaling: FeatureScaling,
        mixture: KernelMixture,
        workers: Workers,
    ) -> None:
        similarities = training_similarities(training, scaling, workers)
        self._training, self._scaling, self._mixture = training, scaling, mixture
        self._norms, self._workers = similarities.training_norms, workers
        self._eigen = KernelEigen(mixture.new(similarities))

    def variances(self, X: np.ndarray, penalties: np.ndarray) -> np.ndarray:
        """Return the posterior variance of new samples, in units of the signal variance.

        That of one sample does not depend on the other new samples, to the last bit.

        Parameters
        ----------
        X : ndarray of shape (n_new, n_features)
            New samples.
        penalties : ndarray of shape (n_penalties,)
            Penalties in units of the mean eigenvalue.

        Returns
        -------
        ndarray of shape (n_new, n_penalties)
            ``k(x, x) - k(x)' (K + a I)^-1 k(x)`` with the centred mixture ``k``, at least 0.
        """
        similarities = new_similarities(
            X, self._training, self._norms, self._scaling, self._workers
        )
        kernel, own = self._mixture.new_with_own(similarities)
        rotated = even_product(kernel, self._eigen.vectors)
        inverse = self._eigen.inverse(penalties * self._eigen.mean_value)
        explained = even_product(np.square(rotated, out=rotated), inverse)
        return np.maximum(own[:, None] - explained, 0)
