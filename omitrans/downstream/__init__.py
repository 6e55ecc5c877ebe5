"""What predicted profiles are good for: analyses of real and predicted samples side by side."""

from omitrans.downstream._classification import evaluate_classifier

__all__ = ["evaluate_classifier"]
