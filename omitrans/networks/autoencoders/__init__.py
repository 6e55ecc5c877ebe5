"""Autoencoders of several omics blocks, which turn a sample into a short vector."""

from omitrans.networks.autoencoders._classifying import ClassifyingAutoencoder
from omitrans.networks.autoencoders._hidden import OmicsBlock

__all__ = ["ClassifyingAutoencoder", "OmicsBlock"]
