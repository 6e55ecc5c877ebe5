"""Write pipeline_format1.omitrans and its predictions; not to be run again for format 1."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import omitrans

HERE = Path(__file__).parent


def main() -> None:
    rng = np.random.default_rng(0)
    columns = [f"cg{i:08d}" for i in range(5)]
    X = pd.DataFrame(rng.uniform(size=(20, 5)).round(3), columns=columns)
    Y = X.to_numpy() @ rng.normal(size=(5, 2)).round(3) + 4
    # steps whose private attributes scikit-learn has not changed for years
    model = make_pipeline(StandardScaler(), Ridge(alpha=0.5)).fit(X, Y)
    omitrans.save(model, HERE / "pipeline_format1.omitrans")
    expected = {
        "format": 1,
        "columns": columns,
        "X": X.head(3).to_numpy().tolist(),
        "predicted": model.predict(X.head(3)).tolist(),
    }
    (HERE / "pipeline_format1.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
