"""Start a net from the weights of another net, whose tables may have other features."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from omitrans.engine._net import OmicsNet
from omitrans.exceptions import FeatureMismatchError

State = dict[str, dict[str, Tensor]]
Axes = list[tuple[int, str]]

_SIDES_OF_SCALINGS = {"source_scaling": "source", "target_scaling": "target"}


class SharedFeatures(NamedTuple):
    """Positions of the features that two tables share, and the numbers of their features."""

    before: Tensor
    now: Tensor
    n_before: int
    n_now: int

    @property
    def same(self) -> bool:
        """Whether the tables have the same features in the same order."""
        return self.n_before == self.n_now == len(self.now) and torch.equal(self.before, self.now)


def shared_features(before: np.ndarray, now: np.ndarray) -> SharedFeatures:
    """Find the features that two tables share, by their names.

    Parameters
    ----------
    before, now : ndarray of str
        Column names of the table that the other net was trained on, and of the table to train on.

    Returns
    -------
    SharedFeatures
        Positions of the shared features in both tables, in the order of `now`.
    """
    places = {name: i for i, name in enumerate(before)}
    pairs = [(places[name], i) for i, name in enumerate(now) if name in places]
    positions = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2)
    return SharedFeatures(positions[:, 0], positions[:, 1], len(before), len(now))


def transfer_state(
    net: OmicsNet,
    state: State,
    moments: State | None,
    shared: dict[str, SharedFeatures],
) -> None:
    """Copy the weights and scalings of another net to `net`, and its optimizer state if given.

    Features that the other net did not know keep their random weights.

    Parameters
    ----------
    net : OmicsNet
        The net to change. It is initialised and prepared, and its networks have the kind and the
        inner widths of the other net's networks.
    state : dict
        ``modules_state()`` of the other net.
    moments : dict or None
        :func:`optimizer_moments` of the other net, from which the optimizers continue. None
        starts with new optimizers.
    shared : dict
        The :class:`SharedFeatures` of the two source tables ("source") and of the two target
        tables ("target").

    Raises
    ------
    FeatureMismatchError
        If the features differ and a network has no separate weights for each feature, such as a
        convolutional network.
    ValueError
        If the networks differ in their inner widths.
    """
    for name in net._modules:
        if name not in state:
            raise ValueError(
                f"pretrained has no {name}, which this model needs. Train both with a "
                "discriminator or both without (adversarial_loss=None)."
            )
        module = getattr(net, f"{name}_")
        read = _with_noise(shared, net.n_noise) if name == "module" else shared
        axes = _feature_axes(net, name, module, read)
        _check_shapes(name, state[name], module.state_dict(), axes, read)
        for key, tensor in module.state_dict().items():
            _put(tensor, state[name][key], axes.get(key, []), read)
        if moments is not None and name in net.optimizers_by_network():
            _put_moments(net.optimizers_by_network()[name], module, moments[name], axes, read)


def _with_noise(shared: dict[str, SharedFeatures], n_noise: int) -> dict[str, SharedFeatures]:
    """Add the noise, which stands behind the source features and is shared, to these."""
    before, now, n_before, n_now = shared["source"]
    noise = torch.arange(n_noise)
    source = SharedFeatures(
        torch.cat([before, n_before + noise]),
        torch.cat([now, n_now + noise]),
        n_before + n_noise,
        n_now + n_noise,
    )
    return shared | {"source": source}


def optimizer_moments(net: OmicsNet) -> State:
    """Return the optimizer state of every weight as ``{network: {weight.key: tensor}}``."""
    found: State = {}
    for name, optimizer in net.optimizers_by_network().items():
        weights = getattr(net, f"{name}_").named_parameters()
        found[name] = {
            f"{label}.{key}": tensor.detach()
            for label, weight in weights
            for key, tensor in optimizer.state.get(weight, {}).items()
        }
    return found


def freeze_weights(module: nn.Module, prefixes: Iterable[str]) -> None:
    """Exclude weights from training.

    Parameters
    ----------
    module : torch.nn.Module
        The network.
    prefixes : iterable of str
        Prefixes of the names of the weights to exclude.

    Raises
    ------
    ValueError
        If a prefix matches no weight, or if no weight would be left to train.
    """
    names = [name for name, _ in module.named_parameters()]
    frozen: set[str] = set()
    for prefix in prefixes:
        matches = {n for n in names if n == prefix or n.startswith(prefix.rstrip(".") + ".")}
        if not matches:
            raise ValueError(
                f"freeze names {prefix!r}, but no weights of the generator are called so. "
                f"Its weights are: {', '.join(names)}."
            )
        frozen |= matches
    if len(frozen) == len(names):
        raise ValueError("freeze leaves no weight of the generator to train. Name fewer layers.")
    for name, weight in module.named_parameters():
        weight.requires_grad_(name not in frozen)


# --- which axes of a weight run over features ---


def _feature_axes(
    net: OmicsNet, name: str, module: nn.Module, shared: dict[str, SharedFeatures]
) -> dict[str, Axes]:
    """Return the feature axes of every weight; empty if both tables have the same features."""
    if shared["source"].same and shared["target"].same:
        return {}
    if name in _SIDES_OF_SCALINGS:
        side = _SIDES_OF_SCALINGS[name]
        return {key: [(0, side)] for key in module.state_dict()}
    axes = _probe_axes(_builder(net, name), shared)
    sides = {side for places in axes.values() for _, side in places}
    if axes and sides == {"source", "target"}:
        return axes
    raise FeatureMismatchError(
        f"The features of this cohort differ from those of pretrained, and {type(module).__name__} "
        "cannot be adapted to other features. Give X and Y the columns of pretrained, in order: "
        "X = X[pretrained.feature_names_in_], Y = Y[pretrained.target_names_]."
    )


def _builder(net: OmicsNet, name: str) -> Callable[[int, int], nn.Module]:
    """Return a function of (n_source, n_target) that builds a network of the net's kind."""
    params = net.get_params_for(name)
    names = net.size_names[name]
    for size in names:
        params.pop(size)

    def build(n_source: int, n_target: int) -> nn.Module:
        sizes = {"n_source": n_source, "n_target": n_target}
        return getattr(net, name)(*(sizes[size] for size in names), **params)

    return build


def _probe_axes(
    build: Callable[[int, int], nn.Module], shared: dict[str, SharedFeatures]
) -> dict[str, Axes]:
    """Find the feature axes: build networks with one more feature, without memory, and compare."""
    n_source, n_target = shared["source"].n_now, shared["target"].n_now
    try:
        with torch.device("meta"):
            plain = _shapes(build(n_source, n_target))
            wider = {
                "source": _shapes(build(n_source + 1, n_target)),
                "target": _shapes(build(n_source, n_target + 1)),
            }
    except ValueError:  # e.g. groups of columns that add up to one width only
        return {}
    axes: dict[str, Axes] = {}
    for side, shapes in wider.items():
        for key, shape in plain.items():
            if len(shapes.get(key, ())) != len(shape):
                return {}
            growth = np.subtract(shapes[key], shape)
            if growth.sum() not in (0, 1):
                return {}
            axes.setdefault(key, []).extend((int(axis), side) for axis in np.flatnonzero(growth))
    return axes


def _shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}


# --- copying ---


def _check_shapes(
    name: str,
    before: dict[str, Tensor],
    now: dict[str, Tensor],
    axes: dict[str, Axes],
    shared: dict[str, SharedFeatures],
) -> None:
    wrong = sorted(set(before) ^ set(now))
    for key in set(before) & set(now):
        expected = list(now[key].shape)
        for axis, side in axes.get(key, []):
            expected[axis] = shared[side].n_before
        if list(before[key].shape) != expected:
            wrong.append(key)
    if wrong:
        raise ValueError(
            f"The {'generator' if name == 'module' else name} of pretrained has another shape "
            f"({', '.join(wrong[:3])}). Use the parameters that it was trained with: "
            "pretrained.fine_tune(X, Y) does."
        )


def _put(now: Tensor, before: Tensor, axes: Axes, shared: dict[str, SharedFeatures]) -> None:
    """Copy `before` into `now`; along the given axes, copy the shared features only."""
    if not axes:
        now.copy_(before)
        return
    (axis, side), *others = axes
    features = shared[side]
    to = features.now.to(now.device)
    part = now.index_select(axis, to)
    _put(part, before.index_select(axis, features.before.to(before.device)), others, shared)
    now.index_copy_(axis, to, part)


def _put_moments(
    optimizer: torch.optim.Optimizer,
    module: nn.Module,
    moments: dict[str, Tensor],
    axes: dict[str, Axes],
    shared: dict[str, SharedFeatures],
) -> None:
    for label, weight in module.named_parameters():
        mine: dict[str, Any] = {}
        for key in ("step", "exp_avg", "exp_avg_sq"):
            before = moments.get(f"{label}.{key}")
            if before is None:
                continue
            mine[key] = (
                torch.zeros((), dtype=torch.float32, device=weight.device)
                if before.ndim == 0
                else torch.zeros_like(weight)
            )
            _put(mine[key], before, axes.get(label, []) if before.ndim else [], shared)
        if mine:
            optimizer.state[weight] = mine
