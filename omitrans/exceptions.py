"""Errors and warnings of the package; each says what was found and what to do."""

__all__ = [
    "CheckpointWarning",
    "ConfoundedChangeWarning",
    "DataFormatError",
    "DeviceMemoryError",
    "DeviceWarning",
    "DomainShiftWarning",
    "FeatureMismatchError",
    "LowCoverageError",
    "LowCoverageWarning",
    "MissingDependencyError",
    "ModelFileError",
    "OmiTransError",
    "PatientGroupsWarning",
    "SampleMismatchError",
    "TrainingDivergedError",
    "TrainingInterrupted",
    "TruncatedFileWarning",
    "UnknownCategoryError",
    "UnknownCategoryWarning",
    "UnknownNameError",
]


class OmiTransError(Exception):
    """Base of every error that this package raises on purpose."""


class SampleMismatchError(OmiTransError, ValueError):
    """X and Y do not describe the same samples in the same order."""


class FeatureMismatchError(OmiTransError, ValueError):
    """Columns differ from those seen in fit, are duplicated, or have unusable names."""


class DataFormatError(OmiTransError, ValueError):
    """A file is damaged, or is not what it was said to be."""


class LowCoverageError(OmiTransError, ValueError):
    """Samples hold too few of the features that a model reads."""


class UnknownNameError(OmiTransError, ValueError):
    """A name that no registry holds; the message lists the known ones."""


class UnknownCategoryError(OmiTransError, ValueError):
    """A covariate holds a category that fit has not met, where none may be guessed."""


class ModelFileError(OmiTransError, ValueError):
    """A model file is truncated, altered, of an unknown format, or asks for something unsafe."""


class DeviceMemoryError(OmiTransError, MemoryError):
    """The device has too little memory; the message gives sizes and the remedy."""


class TrainingDivergedError(OmiTransError, ArithmeticError):
    """Training reached NaN or infinite losses."""


class MissingDependencyError(OmiTransError, ImportError):
    """An optional package is needed; the message says which extra installs it."""


class LowCoverageWarning(UserWarning):
    """Samples lack more of the features that a model reads than they should."""


class DomainShiftWarning(UserWarning):
    """Samples are unlike those that a model was trained on; predictions may be wrong."""


class PatientGroupsWarning(UserWarning):
    """Samples were kept together in splits because their ids name the same patients."""


class DeviceWarning(UserWarning):
    """The requested device is absent and another one is used."""


class TrainingInterrupted(UserWarning):
    """Training was stopped by the user; the model holds the best weights so far."""


class CheckpointWarning(UserWarning):
    """A checkpoint could not be written, and training goes on without it."""


class TruncatedFileWarning(UserWarning):
    """The last line of a text file looks as if the file was cut off inside it."""


class ConfoundedChangeWarning(UserWarning):
    """A covariate that is changed goes together with another one; effects may be due to either."""


class UnknownCategoryWarning(UserWarning):
    """A covariate holds a category that fit has not met; its samples are treated as unknown."""
