"""What the simulated values were made from, as frames for people."""

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from omitrans.datasets._biology import Biology
from omitrans.datasets._expression import PREDICTABLE_KINDS
from omitrans.datasets._programmes import Activities


def describe_truth(
    biology: Biology, activities: Activities, sample_ids: pd.Index, ceiling: np.ndarray
) -> Bunch:
    """Return the truth; genes and probes in the order of their ids, as published."""
    gene_order, probe_order = biology.gene_order, biology.probe_order
    gene_ids = pd.Index(biology.genes["gene_id"].to_numpy()[gene_order], name="gene_id")
    probe_ids = pd.Index(biology.probes["probe_id"].to_numpy()[probe_order], name="probe_id")
    effects = biology.gene_effects
    programmes = pd.Index([f"P{i + 1}" for i in range(effects.loadings.shape[1])])
    genes = pd.DataFrame(
        {
            "kind": effects.kind[gene_order],
            "predictable": np.isin(effects.kind, PREDICTABLE_KINDS)[gene_order],
            "r2_ceiling": ceiling,
            "base": effects.base[gene_order],
            "silencing": effects.silencing[gene_order],
            "noise_sd": effects.noise_sd[gene_order],
        },
        index=gene_ids,
    )
    return Bunch(
        genes=genes,
        edges=_edges(biology),
        gene_loadings=pd.DataFrame(effects.loadings[gene_order], gene_ids, programmes),
        gene_gates=pd.DataFrame(effects.gates[gene_order], gene_ids, programmes),
        probe_loadings=pd.DataFrame(
            biology.probe_effects.loadings[probe_order], probe_ids, programmes
        ),
        tumour_programmes=pd.DataFrame(activities.tumour.T, sample_ids, programmes),
        normal_programmes=pd.DataFrame(activities.normal.T, sample_ids, programmes),
        clock=_clock(biology),
        prognostic=pd.DataFrame(
            {
                "gene_id": biology.genes["gene_id"].to_numpy()[biology.prognostic],
                "log_hazard": biology.log_hazards,
            }
        ),
    )


def _edges(biology: Biology) -> pd.DataFrame:
    """Return the probes that report the silencing of a gene."""
    effects = biology.probe_effects
    silencing = biology.gene_effects.silencing[effects.gene]
    probes = np.flatnonzero(effects.promoter & (silencing > 0))
    return pd.DataFrame(
        {
            "gene_id": biology.genes["gene_id"].to_numpy()[effects.gene[probes]],
            "probe_id": biology.probes["probe_id"].to_numpy()[probes],
            "effect": -silencing[probes],
        }
    )


def _clock(biology: Biology) -> pd.DataFrame:
    """Return the probes that follow age."""
    slope = biology.probe_effects.age_slope
    probes = np.flatnonzero(slope)
    return pd.DataFrame(
        {
            "probe_id": biology.probes["probe_id"].to_numpy()[probes],
            "logit_per_decade": slope[probes],
        }
    )
