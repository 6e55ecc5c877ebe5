"""Reliability of predictions: cross-validated accuracy, intervals, an alarm for unusual samples."""

from omitrans.trust._card import TrustCard
from omitrans.trust._shift import DomainShiftDetector
from omitrans.trust._trusted import TrustedRegressor

__all__ = ["DomainShiftDetector", "TrustCard", "TrustedRegressor"]
