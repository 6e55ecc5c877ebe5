"""Predictions with names, and what a model says of itself."""

from omitrans.inference._describe import describe_model
from omitrans.inference._frame import predict_frame

__all__ = ["describe_model", "predict_frame"]
