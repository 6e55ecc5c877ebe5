"""The only file that imports scikit-learn's private names."""

from sklearn.base import _fit_context as fit_context
from sklearn.model_selection._split import _UnsupportedGroupCVMixin as IgnoresGroups
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._indexing import _get_column_indices as get_column_indices
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
    validate_params,
)
from sklearn.utils._set_output import _get_output_config as get_output_config
from sklearn.utils.validation import (
    _check_feature_names_in as check_feature_names_in,
)
from sklearn.utils.validation import (
    _get_feature_names as get_feature_names,
)
from sklearn.utils.validation import (
    _num_samples as num_samples,
)
from sklearn.utils.validation import validate_data

__all__ = [
    "HasMethods",
    "IgnoresGroups",
    "Interval",
    "InvalidParameterError",
    "Options",
    "StrOptions",
    "check_feature_names_in",
    "fit_context",
    "get_column_indices",
    "get_feature_names",
    "get_output_config",
    "num_samples",
    "safe_indexing",
    "validate_data",
    "validate_parameter_constraints",
    "validate_params",
]
