"""Prediction in blocks of one size, so that a sample's result does not depend on its neighbours."""

import numpy as np
import torch

from omitrans.engine._data import share_memory
from omitrans.engine._net import OmicsNet

# Matrix products of one shape sum in one order; with blocks as large as the batch at hand, a
# sample alone would differ from the same sample in company by rounding.
BLOCK_ROWS = 64


def predict_profiles(net: OmicsNet, X: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return the target profiles that a trained net predicts.

    Parameters
    ----------
    net : OmicsNet
        A trained net in evaluation mode.
    X : ndarray of shape (n_samples, n_source)
        Source profiles.
    dtype : numpy.dtype
        Of the result; the net computes in its own.

    Returns
    -------
    ndarray of shape (n_samples, n_target)
        In the target's own units.
    """
    device = torch.device(net.device)
    block = torch.zeros((BLOCK_ROWS, X.shape[1]), device=device)
    result: np.ndarray | None = None
    with torch.inference_mode(), net.products():
        for start in range(0, len(X), BLOCK_ROWS):
            rows = np.ascontiguousarray(X[start : start + BLOCK_ROWS], dtype=np.float32)
            block[: len(rows)].copy_(share_memory(rows))
            output = net.module_(net.source_scaling_(block))
            profiles = net.target_scaling_.inverse(net.profile(output.float()))
            if result is None:
                result = np.empty((len(X), profiles.shape[1]), dtype=dtype)
            result[start : start + len(rows)] = profiles[: len(rows)].cpu().numpy()
    assert result is not None  # X has at least one row
    return result
