"""Helpers that put values into the document of a model file."""

COEF = "Pipeline.steps[1][1].coef_"


def ridge_of(document):
    return document["model"]["estimator"]["state"]["steps"][1]["tuple"][1]["estimator"]


def saved_with_alpha(parts, forge, node, **extra):
    document, arrays = parts
    ridge_of(document)["state"]["alpha"] = node
    return forge(document, arrays | extra)


def array_node(key, array):
    return {
        "array": {"key": key, "dtype": array.dtype.str, "shape": list(array.shape), "order": "C"}
    }
