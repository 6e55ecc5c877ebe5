"""Whether two builds of the package predict the same, to the last bit, on this machine.

Each build trains every preset and the defaults on small simulated tables with one seed, in a
process of its own, and prints a digest of the predictions of each model. A change that promises to
leave behaviour as it is must leave every digest as it is; other machines give other digests.

    python benchmarks/same_predictions.py --against REVISION
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
from builds import HERE, checkout


def tables():
    """Return betas, betas with gaps, their expression, and expression of several tissues."""
    rng = np.random.default_rng(0)
    samples = [f"sample{i}" for i in range(60)]
    hidden = rng.normal(size=(60, 5))
    betas = 1 / (1 + np.exp(-hidden @ rng.normal(size=(5, 80)) - rng.normal(size=(60, 80))))
    X = pd.DataFrame(betas, samples, [f"cg{i:08d}" for i in range(80)], dtype=np.float32)
    genes = [f"gene{i}" for i in range(30)]
    expression = 5 + hidden @ rng.normal(size=(5, 30))
    Y = pd.DataFrame(np.abs(expression), samples, genes, dtype=np.float32)
    tissues = Y.assign(tissue=["blood", "liver", "lung"] * 20, age=np.arange(60) % 7)
    return X, X.mask(rng.random(X.shape) < 0.03), Y, tissues


def models():
    """Yield names, models, and which of the tables each is fitted to."""
    from omitrans import GAINImputer, OmiTransRegressor, PMIImputer, TDimputeRegressor
    from omitrans.baselines import make_baselines
    from omitrans.pipelines import make_translation_pipeline
    from omitrans.trust import TrustedRegressor

    seed = {"random_state": 0, "device": "cpu"}
    # builds that know no backbone train the network alone
    knows = "backbone" in OmiTransRegressor().get_params()
    alone = {"backbone": None} if knows else {}
    short = {"max_epochs": 6, "decay_epochs": 2, **seed}
    small = {"hidden_layer_sizes": (16, 8), "latent_dim": 8, **short}
    yield "OmiTransRegressor", OmiTransRegressor(max_epochs=20, **alone, **seed), "whole"
    for name in ("paper-fc", "paper-cgan", "repo-default"):
        yield f"OmiTransRegressor {name}", OmiTransRegressor.from_preset(name, **small), "whole"
    convolutions = {"n_filters": 2}
    cnn = OmiTransRegressor.from_preset(
        "paper-cnn", generator_params=convolutions, discriminator_params=convolutions, **short
    )
    yield "OmiTransRegressor paper-cnn", cnn, "whole"
    yield "TDimputeRegressor", TDimputeRegressor(n_hidden=50, **short), "whole"
    covariates = {"categorical_covariates": "tissue", "numeric_covariates": "age"}
    for cls in (PMIImputer, GAINImputer):
        yield cls.__name__, cls(max_epochs=20, **covariates, **seed), "tissues"
        for name in ("paper-inductive", "paper-in-place", "paper-inductive-pathway"):
            layers = {"hidden_layer_sizes": (16,), **short}
            yield f"{cls.__name__} {name}", cls.from_preset(name, **covariates, **layers), "tissues"
    for name, model in make_baselines(random_state=0).items():
        yield name, model, "whole"
    network = OmiTransRegressor(latent_dim=16, **alone, **short)
    yield "pipeline", make_translation_pipeline(network), "gaps"
    yield "trusted", TrustedRegressor(make_translation_pipeline(network), random_state=0), "gaps"


def digests():
    """Return a digest of what every model gives."""
    X, gaps, Y, tissues = tables()
    holes = tissues.mask(np.random.default_rng(1).random(tissues.shape) < 0.2)
    holes[["tissue", "age"]] = tissues[["tissue", "age"]]
    found = {}
    for name, model, table in models():
        if table == "tissues":
            given = np.asarray(model.fit(tissues).transform(holes))
        else:
            source = X if table == "whole" else gaps
            given = np.asarray(model.fit(source, Y).predict(source))
        found[name] = hashlib.sha256(np.ascontiguousarray(given).tobytes()).hexdigest()[:16]
    return found


def run(folder):
    """Return the digests of the build in `folder`."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "--child"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(folder)},
        cwd=folder,
    )
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--against", metavar="REVISION", default="HEAD")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(digests()))
        return 0
    with checkout(args.against) as other:
        then, now = run(other), run(HERE)
    for name in then | now:
        verdict = "same" if then.get(name) == now.get(name) else "DIFFERENT"
        print(f"{name:40s} {then.get(name)} {now.get(name)} {verdict}")
    return int(then != now)


if __name__ == "__main__":
    sys.exit(main())
