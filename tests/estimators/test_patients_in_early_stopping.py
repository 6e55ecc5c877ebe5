"""Early stopping sets whole patients aside, so that it notices what a network has memorised."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV

from omitrans import OmiTransRegressor, PMIImputer, TDimputeRegressor
from omitrans.exceptions import PatientGroupsWarning
from omitrans.trust import TrustedRegressor

N_PATIENTS = 30


@pytest.fixture
def vials():
    """Two nearly equal samples of each patient; Y is noise that a patient's samples share."""
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(N_PATIENTS), 2)
    X = rng.normal(size=(N_PATIENTS, 40))[patients] + 0.01 * rng.normal(size=(2 * N_PATIENTS, 40))
    Y = rng.normal(size=(N_PATIENTS, 6))[patients]
    samples = [f"TCGA-A1-{patient:04d}-{kind}" for patient in range(N_PATIENTS) for kind in "AB"]
    samples = [f"{name[:-1]}0{1 if name[-1] == 'A' else 2}A" for name in samples]
    X, Y = pd.DataFrame(X, samples).add_prefix("cg"), pd.DataFrame(Y, samples).add_prefix("gene")
    return X.astype(np.float32), Y.astype(np.float32), patients


def make(**params):
    params = {"max_epochs": 60, "lr": 5e-3, "alpha": 0.0, "dropout": 0.0, **params}
    return OmiTransRegressor(
        backbone=None,
        latent_dim=64,
        validation_fraction=0.2,
        adversarial_loss=None,
        random_state=0,
        **params,
    )


def test_patients_of_validation_are_not_those_of_training(vials):
    X, Y, patients = vials
    torn = make().fit(X, Y, groups=None).best_validation_loss_
    whole = make().fit(X, Y, groups=patients).best_validation_loss_
    # noise has a mean square near 1 in standardised units: nothing can predict a new patient
    assert whole > 0.8
    assert torn < 0.75 * whole


def test_patients_are_read_from_the_ids_and_said(vials):
    X, Y, patients = vials
    with pytest.warns(PatientGroupsWarning, match="30 patients"):
        by_id = make().fit(X, Y)
    given = make().fit(X, Y, groups=patients)
    np.testing.assert_array_equal(by_id.predict(X), given.predict(X))


@pytest.mark.parametrize("early_stopping", [True, False])
def test_samples_without_patients_train_as_ever(vials, early_stopping):
    X, Y, _ = vials
    model = make(early_stopping=early_stopping, max_epochs=3)
    anonymous = model.fit(X.reset_index(drop=True), Y.reset_index(drop=True)).predict(X)
    np.testing.assert_array_equal(model.fit(X, Y, groups=None).predict(X), anonymous)


def test_without_early_stopping_nothing_is_said_of_patients(vials):
    X, Y, _ = vials
    TDimputeRegressor(n_hidden=5, max_epochs=2, random_state=0).fit(X, Y + 5)


def test_the_imputer_keeps_donors_together(vials):
    _, Y, donors = vials
    params = {"hidden_layer_sizes": (64,), "max_epochs": 60, "lr": 5e-3, "dropout": 0.0}
    imputer = PMIImputer(validation_fraction=0.2, random_state=0, **params)
    torn = imputer.fit(Y, groups=None).best_validation_loss_
    whole = imputer.fit(Y, groups=donors).best_validation_loss_
    assert whole > 1.2 * torn


def test_a_single_patient_cannot_be_set_aside(vials):
    X, Y, _ = vials
    with pytest.raises(ValueError, match=r"All training samples are of one group.*groups=None"):
        make().fit(X, Y, groups=np.zeros(len(X)))


def test_groups_are_checked(vials):
    X, Y, patients = vials
    with pytest.raises(ValueError, match=r"groups has the shape \(59,\) for 60 samples"):
        make().fit(X, Y, groups=patients[:-1])


def test_a_search_does_not_repeat_it_for_every_fit(vials):
    X, Y, _ = vials
    search = GridSearchCV(make(max_epochs=2), {"lr": [1e-3, 1e-2]}, cv=2).fit(X, Y)
    assert search.best_estimator_.n_iter_ == 2


def test_the_outermost_fit_says_it_once(vials):
    X, Y, _ = vials
    with pytest.warns(PatientGroupsWarning) as caught:
        TrustedRegressor(make(max_epochs=2), cv=2, random_state=0).fit(X, Y)
    assert [item.category for item in caught].count(PatientGroupsWarning) == 1
    assert caught[0].filename == __file__
