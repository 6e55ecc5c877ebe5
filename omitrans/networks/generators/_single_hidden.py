"""A generator with one wide hidden layer of sigmoid units, the network of TDimpute."""

from torch import Tensor, nn

from omitrans.networks._blocks import Linear
from omitrans.networks._registries import register_generator

INITS = ("normal", "glorot")


@register_generator("single-hidden")
class SingleHiddenGenerator(nn.Module):
    """A network with one hidden layer of sigmoid units: n_source -> n_hidden -> n_target.

    Parameters
    ----------
    n_source, n_target : int
        Number of source and target features.
    n_hidden : int, default=4000
        Number of units of the hidden layer.
    output_sigmoid : bool, default=False
        Whether to apply a sigmoid to the output, as in TDimpute's code. The copy of the network in
        the code of OmiTrans does not.
    init : {"normal", "glorot"}, default="normal"
        Distribution of the initial weights: "normal" is N(0, 0.02), as in OmiTrans, and "glorot"
        is Glorot's uniform distribution, as in TDimpute. Biases are 0.

    References
    ----------
    Zhou et al., TDimpute, Figure 1. It is `fcg_single` in the code of OmiTrans.
    """

    def __init__(
        self,
        n_source: int,
        n_target: int,
        *,
        n_hidden: int = 4000,
        output_sigmoid: bool = False,
        init: str = "normal",
    ) -> None:
        if init not in INITS:
            raise ValueError(f"The init of a network must be one of {INITS}. Got {init!r} instead.")
        super().__init__()
        self.hidden = Linear(n_source, n_hidden)
        self.output = Linear(n_hidden, n_target)
        self.link = nn.Sigmoid() if output_sigmoid else nn.Identity()
        if init == "glorot":
            nn.init.xavier_uniform_(self.hidden.weight)
            nn.init.xavier_uniform_(self.output.weight)

    def forward(self, X: Tensor) -> Tensor:
        """Return the predicted target profiles, of shape (n_samples, n_target)."""
        return self.link(self.output(self.hidden(X).sigmoid()))
