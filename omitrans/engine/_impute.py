"""Imputation in blocks of one size, so that a sample's result does not depend on the others."""

import numpy as np
import torch
from torch import nn

from omitrans.engine._data import PairedRows, RowBatches, share_memory
from omitrans.engine._masked import VALIDATION_SEED, MaskedNet
from omitrans.engine._predict import BLOCK_ROWS, sharing_weights
from omitrans.utils._draws import generator_on

_CPU = torch.device("cpu")


def impute_profiles(
    net: MaskedNet,
    profiles: np.ndarray,
    covariates: np.ndarray,
    *,
    sample: bool = False,
    residual_sd: np.ndarray | None = None,
) -> np.ndarray:
    """Return a copy of `profiles` whose NaN are filled by a trained net.

    Parameters
    ----------
    net : MaskedNet
        A trained net in evaluation mode.
    profiles : ndarray of shape (n_samples, n_features)
        Profiles in their own units; NaN marks a missing value.
    covariates : ndarray of shape (n_samples, n_covariates)
        Covariates, encoded as in training.
    sample : bool, default=False
        Whether to draw random values: dropout stays on, and noise is drawn, from the generators of
        :func:`~omitrans.utils._draws.drawing_from`. With False the answer is deterministic.
    residual_sd : ndarray of shape (n_features,), default=None
        Standard deviation of the normal noise that is added to the filled values of each feature;
        None adds no noise.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        Complete profiles in the dtype of `profiles`. Observed values are kept to the last bit.
    """
    device = torch.device(net.device)
    filled = profiles.copy()
    block = torch.zeros((BLOCK_ROWS, profiles.shape[1]), device=device)
    context = torch.zeros((BLOCK_ROWS, covariates.shape[1]), device=device)
    if sample:
        net = _drawing(net)
    with torch.inference_mode():
        for start in range(0, len(profiles), BLOCK_ROWS):
            part = profiles[start : start + BLOCK_ROWS]
            missing = np.isnan(part)
            if not missing.any():
                continue
            n = len(part)
            for target, rows in ((block, part), (context, covariates[start : start + n])):
                target[:n].copy_(share_memory(np.ascontiguousarray(rows, dtype=np.float32)))
            scaled = net.target_scaling_(block)
            shown = ~scaled.isnan()
            noise = net.draw_noise(scaled) if sample else None
            output = net.impute(context, scaled.nan_to_num(), shown, noise)
            values = net.target_scaling_.inverse(output)[:n].cpu().numpy().astype(part.dtype)
            if residual_sd is not None:
                draws = torch.randn(values.shape, generator=generator_on(_CPU)).numpy()
                values += (residual_sd * draws).astype(part.dtype)
            filled[start : start + n][missing] = values[missing]
    return filled


def residual_deviation(net: MaskedNet, dataset: PairedRows) -> np.ndarray:
    """Return the root mean squared error of each feature over observed values that are hidden.

    Parameters
    ----------
    net : MaskedNet
        A trained net.
    dataset : PairedRows
        Samples to test on: the validation samples, or the training samples if there are none.

    Returns
    -------
    ndarray of shape (n_features,), float64
        Errors in the profiles' own units; NaN for a feature without a value to test.
    """
    device = torch.device(net.device)
    draws = torch.Generator(device).manual_seed(VALIDATION_SEED)
    squares = torch.zeros(dataset.Y.shape[1], dtype=torch.float64, device=device)
    counts = torch.zeros_like(squares)
    net.module_.eval()
    with torch.inference_mode():
        for batch in RowBatches(dataset, BLOCK_ROWS, device=device):
            covariates, profiles, observed, shown = net.masked_batch(batch, (0.5, 0.5), draws)
            errors = (net.impute(covariates, profiles, shown) - profiles) * (observed & ~shown)
            squares += errors.double().square().sum(0)
            counts += (observed & ~shown).sum(0)
    spread = (squares / counts).sqrt()
    if net.target_scaling_.kind != "none":
        spread *= net.target_scaling_.scale
    return spread.cpu().numpy()


def _drawing(net: MaskedNet) -> MaskedNet:
    """Return a net that shares the weights of `net`, with dropout as in training."""
    drawing = sharing_weights(net)
    for layer in drawing.module_.modules():
        if isinstance(layer, nn.Dropout):
            layer.train()
    return drawing
