"""Training of networks: skorch nets, batches and callbacks. It knows no concrete network."""

from omitrans.engine._adversarial import AdversarialNet
from omitrans.engine._calibration import calibrated, complement, moment_matching, value_range
from omitrans.engine._callbacks import BestWeights, LinearDecay, Progress, StopWhenStale
from omitrans.engine._checkpoint import Checkpoint, checkpoint_file, writes_checkpoints
from omitrans.engine._data import PairedRows, RowBatches, paired_rows
from omitrans.engine._device import resolve_device, resolve_precision
from omitrans.engine._draws import FitDraws
from omitrans.engine._embedding import EmbeddingNet
from omitrans.engine._gain import GAINNet
from omitrans.engine._generate import generate_profiles
from omitrans.engine._impute import impute_profiles, residual_deviation
from omitrans.engine._masked import MaskedNet
from omitrans.engine._memory import Sizes, device_memory_errors, training_bytes
from omitrans.engine._net import OmicsNet
from omitrans.engine._predict import (
    drawn_profiles,
    has_dropout,
    mean_profiles,
    predict_profiles,
    predict_with_deviation,
)
from omitrans.engine._profile_noise import ProfileNoise
from omitrans.engine._rmsprop import RMSprop
from omitrans.engine._scaling import SCALINGS
from omitrans.engine._training import MakeNet, Training, count_weights, rebuild_net, train_net
from omitrans.engine._transfer import (
    freeze_weights,
    optimizer_moments,
    shared_features,
    transfer_state,
)
from omitrans.engine._two_player import TwoPlayerNet
from omitrans.engine._wasserstein import WassersteinNet

__all__ = [
    "SCALINGS",
    "AdversarialNet",
    "BestWeights",
    "Checkpoint",
    "EmbeddingNet",
    "FitDraws",
    "GAINNet",
    "LinearDecay",
    "MakeNet",
    "MaskedNet",
    "OmicsNet",
    "PairedRows",
    "ProfileNoise",
    "Progress",
    "RMSprop",
    "RowBatches",
    "Sizes",
    "StopWhenStale",
    "Training",
    "TwoPlayerNet",
    "WassersteinNet",
    "calibrated",
    "checkpoint_file",
    "complement",
    "count_weights",
    "device_memory_errors",
    "drawn_profiles",
    "freeze_weights",
    "generate_profiles",
    "has_dropout",
    "impute_profiles",
    "mean_profiles",
    "moment_matching",
    "optimizer_moments",
    "paired_rows",
    "predict_profiles",
    "predict_with_deviation",
    "rebuild_net",
    "residual_deviation",
    "resolve_device",
    "resolve_precision",
    "shared_features",
    "train_net",
    "training_bytes",
    "transfer_state",
    "value_range",
    "writes_checkpoints",
]
