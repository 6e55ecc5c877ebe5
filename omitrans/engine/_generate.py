"""Generation of profiles in blocks of one size, so that a row does not depend on the rows after."""

import numpy as np
import torch

from omitrans.engine._data import share_memory
from omitrans.engine._draws import evaluation_draws
from omitrans.engine._predict import BLOCK_ROWS
from omitrans.engine._wasserstein import WassersteinNet


def generate_profiles(
    net: WassersteinNet, covariates: np.ndarray, random: np.random.Generator, dtype: np.dtype
) -> np.ndarray:
    """Return one generated profile for each row of covariates.

    Parameters
    ----------
    net : WassersteinNet
        A trained net in evaluation mode.
    covariates : ndarray of shape (n_rows, n_covariates)
        Covariates, encoded as in training.
    random : numpy.random.Generator
        Source of the noise, which is drawn on the host, row by row: it is the same on all devices.
    dtype : numpy.dtype
        Data type of the profiles; the net computes in its own.

    Returns
    -------
    ndarray of shape (n_rows, n_genes)
        Profiles in their own units.
    """
    device = torch.device(net.device)
    context = torch.zeros((BLOCK_ROWS, covariates.shape[1]), device=device)
    n_inputs = net.module_.n_inputs
    noise = torch.zeros((BLOCK_ROWS, n_inputs), device=device)
    result: np.ndarray | None = None
    with torch.inference_mode(), net.products(), evaluation_draws(net.module_, device):
        for start in range(0, len(covariates), BLOCK_ROWS):
            rows = np.ascontiguousarray(covariates[start : start + BLOCK_ROWS], dtype=np.float32)
            n = len(rows)
            context[:n].copy_(share_memory(rows))
            drawn = random.standard_normal((n, n_inputs), dtype=np.float32)
            noise[:n].copy_(torch.from_numpy(drawn))
            profiles = net.target_scaling_.inverse(net.module_(context, noise).float())
            if result is None:
                result = np.empty((len(covariates), profiles.shape[1]), dtype=dtype)
            result[start : start + n] = profiles[:n].cpu().numpy()
    assert result is not None  # there is at least one row
    return result
