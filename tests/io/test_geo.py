"""GEO's series matrices and tables of betas, in the layouts that authors deposit."""

import gzip

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from omitrans.io import read_geo_series_matrix, read_matrix

SERIES = """!Series_title	"Liver"
!Series_geo_accession	"GSE1"
!Series_summary	"First part."
!Series_summary	"Second part."

!Sample_title	"Tumour, 1"	"Normal, 1"	"Normal, 2"
!Sample_geo_accession	"GSM1"	"GSM2"	"GSM3"
!Sample_source_name_ch1	"liver"	"liver"	"liver"
!Sample_characteristics_ch1	"tissue: tumour"	"tissue: normal"	"tissue: normal"
!Sample_characteristics_ch1	"age: 52"	"Sex: M"	"age: 61"
!Sample_characteristics_ch1	"frozen"	""	"frozen"
!Sample_data_processing	"step 1"	"step 1"	"step 1"
!Sample_data_processing	"step 2"	"step 2"	"step 2"
!Sample_platform_id	"GPL13534"	"GPL13534"	"GPL13534"
!series_matrix_table_begin
"ID_REF"	"GSM1"	"GSM2"	"GSM3"
"cg00000029"	0.5	0.25	NA
"cg00000108"	0.125	null	1
"rs10457834"	0	0.5	1
!series_matrix_table_end
"""
BETAS = """ID_REF	A1.AVG_Beta	A1 Detection Pval	A2.AVG_Beta	A2 Detection Pval
cg00000029	0.5	0.001	0.25	0.02
cg00000108	0.75	0	0.125	0.01
"""


@pytest.fixture
def write(tmp_path):
    def write_text(text, compress=False):
        path = tmp_path / "GSE1_series_matrix.txt.gz"
        path.write_bytes(gzip.compress(text.encode()) if compress else text.encode())
        return path

    return write_text


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_series_matrix(write, compress, end):
    values, _, series = read_geo_series_matrix(write(SERIES.replace("\n", end), compress))
    assert values.columns.tolist() == ["cg00000029", "cg00000108", "rs10457834"]
    assert values.index.tolist() == ["GSM1", "GSM2", "GSM3"]
    expected = np.array([[0.5, 0.125, 0], [0.25, np.nan, 0.5], [np.nan, 1, 1]], np.float32)
    assert_array_equal(values, expected)
    assert (values.dtypes == np.float32).all()
    assert series["summary"] == "First part.\nSecond part."


def test_description_of_samples(write):
    samples = read_geo_series_matrix(write(SERIES)).samples
    assert samples.columns.tolist() == [
        *("tissue", "age", "Sex", "characteristics_ch1", "title", "source_name_ch1"),
        *("data_processing", "data_processing.1", "platform_id"),
    ]
    assert samples["tissue"].tolist() == ["tumour", "normal", "normal"]
    assert samples["age"].tolist() == ["52", None, "61"]
    assert samples["Sex"].tolist() == [None, "M", None]
    assert samples["title"].tolist() == ["Tumour, 1", "Normal, 1", "Normal, 2"]


def test_a_characteristic_named_as_a_field(write):
    text = SERIES.replace("age: 52", "title: Dr").replace("age: 61", "title: Prof")
    samples = read_geo_series_matrix(write(text)).samples
    assert samples["title"].tolist() == ["Dr", None, "Prof"]
    assert samples["title (field)"].tolist() == ["Tumour, 1", "Normal, 1", "Normal, 2"]


def test_samples_in_another_order(write):
    text = SERIES.replace(
        '"ID_REF"	"GSM1"	"GSM2"	"GSM3"', '"ID_REF"	"GSM3"	"GSM2"	"GSM1"'
    )
    values, samples, _ = read_geo_series_matrix(write(text))
    assert samples.index.tolist() == values.index.tolist() == ["GSM3", "GSM2", "GSM1"]
    assert samples["age"].tolist() == ["61", None, "52"]


def test_matrix_without_rows(write):
    head, _, rest = SERIES.partition('"cg00000029"')
    values, samples, _ = read_geo_series_matrix(write(head + rest[rest.index("!series") :]))
    assert values.shape == (3, 0)
    assert samples["age"].tolist() == ["52", None, "61"]


def test_filters(write, tmp_path):
    path = write(SERIES)
    wanted = ["cg00000029", "rs10457834"]
    values, _, _ = read_geo_series_matrix(path, keep_features=wanted, max_missing_rate=0)
    assert values.columns.tolist() == ["rs10457834"]
    values, _, _ = read_geo_series_matrix(path, min_variance=0.1, out=tmp_path / "values.npy")
    pd.testing.assert_frame_equal(values, read_matrix(tmp_path / "values.npy"))
    assert values.columns.tolist() == ["cg00000108", "rs10457834"]


@pytest.mark.parametrize("compress", [True, False])
def test_betas_with_detection_p_values(write, compress):
    path = write(BETAS, compress)
    values, samples, series = read_geo_series_matrix(path)
    assert_array_equal(values, np.array([[0.5, 0.75], [np.nan, 0.125]], np.float32))
    assert values.index.tolist() == samples.index.tolist() == ["A1", "A2"]
    assert samples.shape == (2, 0)
    assert series == {}
    values, _, _ = read_geo_series_matrix(path, max_detection_p=None)
    assert_array_equal(values, np.array([[0.5, 0.75], [0.25, 0.125]], np.float32))
    values, _, _ = read_geo_series_matrix(path, max_detection_p=0.0005)
    assert np.isnan(values).to_numpy().tolist() == [[True, False], [True, True]]


@pytest.mark.parametrize(
    "header",
    [
        "ID_REF\tA1\tDetection Pval\tA2\tDetection Pval",
        "TargetID\tA1.AVG_Beta\tA1.Detection Pval\tA2.AVG_Beta\tA2.Detection Pval",
        "\tA1_AVG_Beta\tA1_Detection_Pval\tA2_AVG_Beta\tA2_Detection_Pval",
        "ID_REF\tA1 average beta\tA1 detection p-value\tA2 average beta\tA2 detection p-value",
    ],
)
def test_headers_of_betas(write, header):
    text = header + BETAS[BETAS.index("\n") :]
    values, _, _ = read_geo_series_matrix(write(text))
    assert values.index.tolist() == ["A1", "A2"]
    assert_array_equal(values, np.array([[0.5, 0.75], [np.nan, 0.125]], np.float32))


def test_p_values_in_another_order(write):
    text = BETAS.replace("A1 Det", "B Det").replace("A2 Det", "A1 Det").replace("B Det", "A2 Det")
    values, _, _ = read_geo_series_matrix(write(text))
    assert_array_equal(values, np.array([[np.nan, 0.75], [0.25, 0.125]], np.float32))


def test_signals_beside_betas_are_left_out(write):
    text = BETAS.replace("A1 Detection", "A1.Signal_A").replace("A2 Detection", "A2.Signal_A")
    text = text.replace("Signal_A Pval", "Signal_A")
    values, _, _ = read_geo_series_matrix(write(text))
    assert values.index.tolist() == ["A1", "A2"]
    assert_array_equal(values, np.array([[0.5, 0.75], [0.25, 0.125]], np.float32))
