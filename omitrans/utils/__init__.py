"""Leaf helpers: no torch, nothing of the package above them."""
