"""What predicted expression is good for: genes, clusters and survival."""

from omitrans.downstream._prognosis_genes import prognosis_genes

__all__ = ["prognosis_genes"]
