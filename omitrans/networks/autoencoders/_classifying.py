"""The variational autoencoder of several omics blocks with a classifier on its embedding."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from omitrans.networks._blocks import GaussianBottleneck, Linear
from omitrans.networks.autoencoders._hidden import (
    BlockLayers,
    OmicsBlock,
    Style,
    hidden_layer,
    hidden_layers,
)


class ClassifyingAutoencoder(nn.Module):
    """A variational autoencoder of omics blocks, whose embedding a small network classifies.

    Each block has layers of its own. Their outputs are merged and mapped to the mean and the
    variance of a normal distribution. The decoder draws from it in training, and mirrors the
    encoder. The embedding of a sample is the mean, and the head maps it to one logit per class.

    Parameters
    ----------
    n_source : int
        Number of columns of the table.
    n_classes : int
        Number of classes.
    blocks : sequence of OmicsBlock or None, default=None
        Columns of each kind of omics, and their chromosomes. None takes all columns as one block.
    hidden_layer_sizes : sequence of int, default=(1024, 1024, 512)
        Widths of the layers of each block, and last that of the layer that merges them.
    group_width : int, default=128
        Width of the first layer of each chromosome, in blocks with chromosomes.
    latent_dim : int, default=128
        Width of the embedding.
    head_layer_sizes : sequence of int, default=(128, 64)
        Widths of the hidden layers of the head.
    dropout : float, default=0.2
        Share of features set to zero in training, in every hidden layer.
    norm : {"batch", "sample", "none"}, default="batch"
        Normalisation of the hidden features. "batch" standardises each feature over the batch, as
        published; "sample" standardises each sample over its features.
    negative_slope : float, default=0.2
        Slope of the LeakyReLU for negative inputs.

    References
    ----------
    X. Zhang, Y. Xing, K. Sun and Y. Guo, "OmiEmbed: a unified multi-task deep learning framework
    for multi-omics data", Cancers 13, 2021. With one block and no chromosomes this is what its
    code uses for expression; with chromosomes it is `fc_sep`.

    Examples
    --------
    >>> import torch
    >>> from omitrans.networks.autoencoders import ClassifyingAutoencoder, OmicsBlock
    >>> blocks = [OmicsBlock(range(6)), OmicsBlock(range(6, 10), groups=(3, 1))]
    >>> network = ClassifyingAutoencoder(
    ...     10, 3, blocks=blocks, hidden_layer_sizes=(8, 8), latent_dim=5, head_layer_sizes=(4,)
    ... ).eval()
    >>> network(torch.zeros(2, 10)).shape
    torch.Size([2, 8])
    """

    def __init__(
        self,
        n_source: int,
        n_classes: int,
        *,
        blocks: Sequence[OmicsBlock] | None = None,
        hidden_layer_sizes: Sequence[int] = (1024, 1024, 512),
        group_width: int = 128,
        latent_dim: int = 128,
        head_layer_sizes: Sequence[int] = (128, 64),
        dropout: float = 0.2,
        norm: str = "batch",
        negative_slope: float = 0.2,
    ) -> None:
        super().__init__()
        if len(hidden_layer_sizes) < 2:
            raise ValueError(
                "hidden_layer_sizes must hold two widths at least: of a layer of each block, and "
                f"of the layer that merges them. Got {tuple(hidden_layer_sizes)}."
            )
        style = Style(norm, dropout, negative_slope)
        *own, merged = hidden_layer_sizes
        blocks = [OmicsBlock(range(n_source))] if blocks is None else blocks
        parts = [BlockLayers(block, own, group_width, style) for block in blocks]
        self.widths = [part.n_outputs for part in parts]
        self.blocks = nn.ModuleList(parts)
        self.merge = hidden_layer(sum(self.widths), merged, style)
        self.bottleneck = GaussianBottleneck(merged, latent_dim)
        self.spread = hidden_layers([latent_dim, merged, sum(self.widths)], style)
        self.head = nn.Sequential(
            hidden_layers([latent_dim, *head_layer_sizes], style),
            Linear([latent_dim, *head_layer_sizes][-1], n_classes),
        )

    def embed(self, X: Tensor) -> Tensor:
        """Return the embeddings.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_source)
            Profiles.

        Returns
        -------
        torch.Tensor of shape (n_samples, latent_dim)
            The means of the normal distributions.
        """
        mean: Tensor = self.bottleneck.mean(self._merged(self._values(X)))
        return mean

    def reconstruct(self, X: Tensor) -> tuple[Tensor, list[tuple[Tensor, Tensor]], Tensor]:
        """Encode and decode profiles.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_source)
            Profiles.

        Returns
        -------
        mean : torch.Tensor of shape (n_samples, latent_dim)
            The embeddings.
        pairs : list of (torch.Tensor, torch.Tensor)
            Decoded and given values of each block.
        divergence : torch.Tensor
            The mean divergence of the elements of the latent vectors from N(0, 1), a scalar.
        """
        values = self._values(X)
        mean, latent, divergence = self.bottleneck.draw(self._merged(values))
        parts = self.spread(latent).split(self.widths, dim=1)
        decoded = [block.decode(part) for block, part in zip(self._parts, parts, strict=True)]
        return mean, list(zip(decoded, values, strict=True)), divergence

    def forward(self, X: Tensor) -> Tensor:
        """Embed and classify profiles.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_source)
            Profiles.

        Returns
        -------
        torch.Tensor of shape (n_samples, latent_dim + n_classes)
            The embeddings, and behind them the logits of the classes.
        """
        mean = self.embed(X)
        return torch.cat([mean, self.head(mean)], dim=1)

    @property
    def _parts(self) -> list[BlockLayers]:
        return [part for part in self.blocks if isinstance(part, BlockLayers)]

    def _values(self, X: Tensor) -> list[Tensor]:
        return [block.values_of(X) for block in self._parts]

    def _merged(self, values: list[Tensor]) -> Tensor:
        encoded = [block.encode(own) for block, own in zip(self._parts, values, strict=True)]
        result: Tensor = self.merge(torch.cat(encoded, dim=1))
        return result
