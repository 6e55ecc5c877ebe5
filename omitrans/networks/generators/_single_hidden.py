"""One wide hidden layer of sigmoid units, as TDimpute has it."""

from torch import Tensor, nn

from omitrans.networks._blocks import Linear
from omitrans.networks._registries import register_generator

INITS = ("normal", "glorot")


@register_generator("single-hidden")
class SingleHiddenGenerator(nn.Module):
    """One hidden layer: n_source -> n_hidden -> n_target, with sigmoid units.

    Parameters
    ----------
    n_source, n_target : int
        Number of source and target features.
    n_hidden : int, default=4000
        Units of the hidden layer.
    output_sigmoid : bool, default=False
        Whether the output is a sigmoid too; TDimpute's code has it, OmiTrans' copy has not.
    init : {"normal", "glorot"}, default="normal"
        Weights from N(0, 0.02), as OmiTrans draws them, or from Glorot's uniform distribution, as
        TDimpute does; biases are 0.

    References
    ----------
    Zhou et al., TDimpute, Figure 1; `fcg_single` in the code of OmiTrans.
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
