"""Profiles or vectors laid out in two dimensions."""

from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.utils import check_random_state

from omitrans.evaluation._displays._style import clean
from omitrans.utils._optional import import_optional

METHODS = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}
N_COMPONENTS = 50  # neighbours are sought among these


def check_method(method: str) -> None:
    """Raise unless `method` is known.

    Parameters
    ----------
    method : str
        A key of ``METHODS``.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}. Got {method!r} instead.")


def lay_out(vectors: np.ndarray, method: str, random_state: Any) -> np.ndarray:
    """Return two coordinates of each vector.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_dimensions)
        What to lay out.
    method : str
        A key of ``METHODS``.
    random_state : int, RandomState instance or None
        Seed. None draws a new one and leaves NumPy's global state alone.

    Returns
    -------
    ndarray of shape (n_vectors, 2)
        Coordinates.
    """
    if random_state is None:
        random_state = np.random.RandomState(np.random.MT19937())
    seed = check_random_state(random_state).randint(2**31 - 1)
    if method == "pca":
        return PCA(2, random_state=seed).fit_transform(vectors)
    n_components = min(N_COMPONENTS, *vectors.shape)
    if n_components < vectors.shape[1]:
        vectors = PCA(n_components, random_state=seed).fit_transform(vectors)
    if method == "umap":
        umap = import_optional("umap", extra="umap", purpose="lay profiles out by UMAP")
        return umap.UMAP(random_state=seed, n_jobs=1).fit_transform(vectors)
    perplexity = min(30.0, (len(vectors) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(vectors)


def label_map(ax: Any, method: str) -> None:
    """Name the axes of a map.

    Parameters
    ----------
    ax : matplotlib Axes
        Its axes.
    method : str
        A key of ``METHODS``.
    """
    name = METHODS[method]
    ax.set(xlabel=f"{name} 1", ylabel=f"{name} 2")
    clean(ax)
    if method != "pca":  # their scale means nothing
        ax.set(xticks=[], yticks=[])
