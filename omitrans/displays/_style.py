"""Helpers that all figures share: axes, and colours that colour-blind readers can distinguish."""

from types import ModuleType
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from omitrans.utils._optional import import_optional
from omitrans.utils._random_state import own_random_state

METHODS = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}
N_COMPONENTS = 50  # neighbours are sought among these


def check_method(method: str) -> None:
    """Raise an error if `method` is not known.

    Parameters
    ----------
    method : str
        Name of the method, a key of ``METHODS``.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}. Got {method!r} instead.")


def lay_out(vectors: np.ndarray, method: str, random_state: Any) -> np.ndarray:
    """Return two coordinates for each vector.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_dimensions)
        Vectors to place on the map.
    method : str
        Name of the method, a key of ``METHODS``.
    random_state : int, RandomState instance or None
        Seed of the random numbers. None draws a new seed and does not change NumPy's global state.

    Returns
    -------
    ndarray of shape (n_vectors, 2)
        Coordinates of the vectors.
    """
    seed = own_random_state(random_state).randint(2**31 - 1)
    if method == "pca":
        return PCA(2, random_state=seed).fit_transform(vectors)
    n_components = min(N_COMPONENTS, *vectors.shape)
    if n_components < vectors.shape[1]:
        vectors = PCA(n_components, random_state=seed).fit_transform(vectors)
    if method == "umap":
        purpose = "lay profiles out by UMAP (method='tsne' and method='pca' do without)"
        umap = import_optional("umap", extra="umap", purpose=purpose)
        return umap.UMAP(random_state=seed, n_jobs=1).fit_transform(vectors)
    perplexity = min(30.0, (len(vectors) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(vectors)


def label_map(ax: Any, method: str) -> None:
    """Label the axes of a map.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes of the map.
    method : str
        Name of the method, a key of ``METHODS``.
    """
    name = METHODS[method]
    ax.set(xlabel=f"{name} 1", ylabel=f"{name} 2")
    clean(ax)
    if method != "pca":  # their scale means nothing
        ax.set(xticks=[], yticks=[])


# of the palette of M. Okabe and K. Ito
BLUE, VERMILION, GREEN, PURPLE, ORANGE = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"
COLORS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE)
GREY = "0.45"


def named(genes: Any, names: Any) -> list[Any]:
    """Return the names under which genes are drawn.

    Parameters
    ----------
    genes : iterable
        Ids of genes.
    names : Series, dict or None
        Names by id; a gene without a name keeps its id.

    Returns
    -------
    list
        The names.
    """
    known = {} if names is None else dict(names)
    return [known.get(gene, gene) for gene in genes]


def import_pyplot() -> ModuleType:
    """Import matplotlib.pyplot, or raise an error that says how to install matplotlib.

    Returns
    -------
    module
        The module ``matplotlib.pyplot``.
    """
    return import_optional("matplotlib.pyplot", extra="plot", purpose="draw figures")


def get_axes(ax: Any, *, figsize: tuple[float, float] = (6.4, 4.0)) -> Any:
    """Return `ax`, or the axes of a new figure.

    Parameters
    ----------
    ax : matplotlib Axes or None
        Axes to draw on; None makes a new figure.
    figsize : (float, float), default=(6.4, 4.0)
        Width and height of a new figure in inches.

    Returns
    -------
    matplotlib Axes
        Axes to draw on.
    """
    pyplot = import_pyplot()
    if ax is None:
        _, ax = pyplot.subplots(figsize=figsize, layout="constrained")
    return ax


def get_panels(ax: Any, n_panels: int, *, n_columns: int, size: tuple[float, float]) -> Any:
    """Return the axes of each panel: the given axes, or those of a new figure.

    Parameters
    ----------
    ax : array-like of matplotlib Axes, or None
        Axes to draw on, at least one per panel; None makes a new figure.
    n_panels : int
        Number of panels to draw.
    n_columns : int
        Number of panels side by side in a new figure.
    size : (float, float)
        Width and height of a panel of a new figure in inches.

    Returns
    -------
    list of matplotlib Axes
        Axes, one per panel.
    """
    pyplot = import_pyplot()
    if ax is None:
        n_columns = min(n_columns, n_panels)
        n_rows = -(-n_panels // n_columns)
        _, grid = pyplot.subplots(
            n_rows,
            n_columns,
            figsize=(size[0] * n_columns, size[1] * n_rows),
            layout="constrained",
            squeeze=False,
        )
        for empty in grid.flat[n_panels:]:
            empty.remove()
        return list(grid.flat[:n_panels])
    given = list(np.ravel(ax))
    if len(given) < n_panels:
        raise ValueError(
            f"ax holds {len(given)} axes, but there are {n_panels} panels. "
            f"Give that many, e.g. the second result of pyplot.subplots(1, {n_panels})."
        )
    return given[:n_panels]


def clean(ax: Any) -> None:
    """Remove the upper and the right side of the frame.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes to change.
    """
    ax.spines[["top", "right"]].set_visible(False)


def distinct_colors(n: int) -> list[Any]:
    """Return distinct colours: those of the package, or colours of a rainbow if more are needed.

    Parameters
    ----------
    n : int
        Number of colours.

    Returns
    -------
    list
        Colours in a form that matplotlib accepts.
    """
    if n <= len(COLORS):
        return list(COLORS[:n])
    pyplot = import_pyplot()
    return [pyplot.get_cmap("turbo")(place) for place in np.linspace(0.03, 0.97, n)]


def number(value: float, digits: int = 3) -> str:
    """Return a number as text with a proper minus sign.

    Parameters
    ----------
    value : float
        Number to write.
    digits : int, default=3
        Number of decimals; numbers of 100 and more have at most one.

    Returns
    -------
    str
        The number as text.
    """
    decimals = digits if abs(value) < 100 else min(digits, 1)
    return f"{value:,.{decimals}f}".replace("-", "−")
