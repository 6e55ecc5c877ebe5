"""A generator with one hidden block and a linear path past it."""

from torch import Tensor, nn

from omitrans.networks._blocks import FCBlock, Linear
from omitrans.networks._registries import register_generator


@register_generator("shortcut")
class ShortcutGenerator(nn.Module):
    """One hidden block, plus a linear layer from the source to the target.

    Parameters
    ----------
    n_source, n_target : int
        Number of source and target features.
    latent_dim : int, default=256
        Width of the hidden block.
    dropout : float, default=0.2
        Share of its features set to zero in training.
    """

    def __init__(
        self, n_source: int, n_target: int, *, latent_dim: int = 256, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.hidden = FCBlock(n_source, latent_dim, dropout=dropout)
        self.output = Linear(latent_dim, n_target)
        self.shortcut = Linear(n_source, n_target, bias=False)

    def forward(self, X: Tensor) -> Tensor:
        """Return the predicted target profiles, of shape (n_samples, n_target)."""
        return self.output(self.hidden(X)) + self.shortcut(X)
