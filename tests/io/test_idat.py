import numpy as np
import pandas as pd
import pytest
from idat_writer import SimulatedArray, write_pair
from sklearn.utils._param_validation import InvalidParameterError

from omitrans.exceptions import DataFormatError
from omitrans.io import read_bead_manifest, read_idat

RAW = {"dye_bias": None, "detection_p": None, "min_beads": 0}
CORRECTIONS = ["quantiles", "controls", None]


@pytest.fixture(scope="module")
def array():
    return SimulatedArray(300, 700)


@pytest.fixture
def manifest():
    """Infinium I in green and in red, Infinium II, one of unknown colour, and a control."""
    return pd.DataFrame(
        {
            "M": [11, 21, None, 41, None],
            "U": [12, 22, 31, 42, 51],
            "col": ["G", "R", "2", "2", "2"],
        },
        index=["cgGreen", "cgRed", "cgTwo", "cgUnknown", "ctl_51_NEGATIVE"],
    )


ADDRESS = [11, 12, 21, 22, 31, 41, 42, 51]
GREEN = [900, 100, 7, 8, 300, 50, 60, 40]
RED = [5, 6, 200, 1700, 500, 70, 80, 30]


def test_chemistry_of_both_designs(tmp_path, manifest):
    path = write_pair(tmp_path, "1_A", ADDRESS, GREEN, RED)
    read = read_idat(path, manifest, **RAW, return_details=True)
    assert list(read.betas.columns) == ["cgGreen", "cgRed", "cgTwo", "cgUnknown"]
    np.testing.assert_array_equal(read.methylated, [[900, 200, 300, np.nan]])
    np.testing.assert_array_equal(read.unmethylated, [[100, 1700, 500, np.nan]])
    expected = np.float32([[900 / 1100, 200 / 2000, 300 / 900, np.nan]])
    np.testing.assert_allclose(read.betas, expected, rtol=1e-6)
    assert read.detection_p.isna().all(axis=None)
    assert set(read.betas.dtypes) == {np.dtype(np.float32)}


def test_offset_zero_and_no_light_is_unknown_without_a_warning(tmp_path, manifest):
    path = write_pair(tmp_path, "1_A", ADDRESS, [0] * 8, [0] * 8)
    read = read_idat(path, manifest, **RAW, offset=0)
    assert read.isna().all(axis=None)
    assert (read_idat(path, manifest, **RAW).drop(columns="cgUnknown") == 0).all(axis=None)


def test_few_beads_hide_a_value(tmp_path, manifest):
    n_beads = [3, 9, 9, 2, 3, 9, 9, 9]
    path = write_pair(tmp_path, "1_A", ADDRESS, GREEN, RED, n_beads=n_beads)
    read = read_idat(path, manifest, **RAW | {"min_beads": 3}, return_details=True)
    assert read.n_beads.loc["1_A"].tolist() == [3, 2, 3, 0]
    assert read.betas.loc["1_A"].notna().tolist() == [True, False, True, False]


def test_bead_types_that_one_file_lacks(tmp_path, manifest):
    path = write_pair(tmp_path, "1_A", ADDRESS, GREEN, RED)
    whole = read_idat(path, manifest, **RAW)
    other = write_pair(tmp_path / "", "1_B", [*ADDRESS, 60], [*GREEN, 9], [*RED, 9])
    write_pair(tmp_path, "1_C", ADDRESS[1:], GREEN[1:], RED[1:])
    (tmp_path / "1_B_Red.idat").write_bytes((tmp_path / "1_C_Red.idat").read_bytes())
    read = read_idat(other, manifest, **RAW, return_details=True)
    assert np.isnan(read.betas.loc["1_B", "cgGreen"])
    assert read.n_beads.loc["1_B", "cgGreen"] == 0
    np.testing.assert_array_equal(read.betas.iloc[0, 1:], whole.iloc[0, 1:])


def test_betas_are_near_the_truth(tmp_path, array):
    read = read_idat(array.write(tmp_path), array.manifest)
    assert read.shape == (1, 1000)
    assert read.columns.equals(array.manifest.index[:1000])
    assert read.isna().mean(axis=None) < 0.01
    error = (read.iloc[0] - array.beta).abs()
    assert error.median() < 0.05
    assert np.corrcoef(read.iloc[0].fillna(0.5), array.beta)[0, 1] > 0.98


@pytest.mark.parametrize("method", ["quantiles", "controls"])
def test_a_known_dye_bias_is_undone(tmp_path, method):
    plain, bright = (SimulatedArray(2000, 3000, red_factor=factor) for factor in (1, 2.5))
    clear = {"detection_p": None, "offset": 0}
    truth = read_idat(plain.write(tmp_path, "1_A"), plain.manifest, **clear, dye_bias=None)
    biased = bright.write(tmp_path, "1_B")
    two = slice(2000, None)
    before = read_idat(biased, bright.manifest, **clear, dye_bias=None).iloc[0, two]
    after = read_idat(biased, bright.manifest, **clear, dye_bias=method).iloc[0, two]
    assert (before - truth.iloc[0, two]).abs().mean() > 0.1
    assert (after - truth.iloc[0, two]).abs().mean() < 0.01


def test_quantiles_meet_half_way(tmp_path):
    array = SimulatedArray(3000, 100, red_factor=3)
    path = array.write(tmp_path)
    levels = np.linspace(0.05, 0.95, 10)

    def quantiles(**options):
        read = read_idat(path, array.manifest, return_details=True, **options)
        signals = np.concatenate([read.methylated, read.unmethylated])[:, :3000]
        is_green = array.manifest["col"].iloc[:3000] == "G"
        return [np.quantile(signals[:, colour], levels) for colour in (is_green, ~is_green)]

    green, red = quantiles(dye_bias=None)
    for corrected in quantiles():
        np.testing.assert_allclose(corrected, (green + red) / 2, rtol=0.02)


@pytest.mark.parametrize("method", CORRECTIONS)
def test_arrays_of_one_design_keep_their_intensities(tmp_path, method):
    array = SimulatedArray(500, 0, red_factor=2)
    read = read_idat(array.write(tmp_path), array.manifest, dye_bias=method, return_details=True)
    raw = read_idat(tmp_path, array.manifest, **RAW, return_details=True)
    pd.testing.assert_frame_equal(read.methylated, raw.methylated)


@pytest.mark.parametrize("background", ["oob", "negative"])
@pytest.mark.parametrize("alpha", [0.01, 0.05])
def test_empty_probes_pass_at_the_stated_rate(tmp_path, background, alpha):
    array = SimulatedArray(
        20_000,
        20_000,
        n_controls=6000,
        share_empty=0.5,
        normal_background=background == "negative",
    )
    options = {"background": background, "detection_p": alpha, "return_details": True}
    read = read_idat(array.write(tmp_path), array.manifest, **options)
    passed = read.betas.iloc[0].notna().to_numpy()
    for design in (slice(20_000), slice(20_000, None)):
        empty = array.empty[design]
        # about 10,000 empty probes, a pool of 20,000: three standard errors
        assert passed[design][empty].mean() == pytest.approx(
            alpha, rel=0.45 * (0.01 / alpha) ** 0.5
        )
        assert passed[design][~empty].mean() > 0.995
    p = read.detection_p.to_numpy()[0]
    assert ((p >= 0) & (p <= 1)).all()
    np.testing.assert_array_equal(passed, p <= alpha)


def test_out_of_band_p_values_against_brute_force(tmp_path):
    array = SimulatedArray(60, 40, share_empty=0.5, seed=1)
    p = read_idat(array.write(tmp_path), array.manifest, return_details=True).detection_p.iloc[0]
    where = {address: i for i, address in enumerate(array.address)}
    channel = {"G": array.green, "R": array.red}
    one = array.manifest.iloc[:60]
    pool = {
        colour: [
            channel[colour][where[a]]
            for name in ("M", "U")
            for a in one.loc[one["col"] != colour, name]
        ]
        for colour in "GR"
    }

    def share(colour, x):
        return (1 + sum(b >= x for b in pool[colour])) / (1 + len(pool[colour]))

    for probe, row in array.manifest.iloc[:100].iterrows():
        if row["col"] == "2":
            at = where[row["U"]]
            s = min(share("G", array.green[at]), share("R", array.red[at]))
        else:
            s = min(share(row["col"], channel[row["col"]][where[row[n]]]) for n in ("M", "U"))
        assert p[probe] == pytest.approx(1 - (1 - s) ** 2, rel=1e-5)


def test_one_pair_alone_is_as_in_a_folder_and_packed_as_plain(tmp_path, array):
    second = SimulatedArray(300, 700, seed=0, red_factor=1.7)
    (tmp_path / "chip").mkdir()
    array.write(tmp_path / "chip", "1_R01C01")
    second.write(tmp_path / "chip", "1_R02C01", compress=True)
    together = read_idat(tmp_path, array.manifest, return_details=True)
    assert together.betas.index.tolist() == ["1_R01C01", "1_R02C01"]
    assert together.betas.index.name == "sample"
    alone = read_idat(tmp_path / "chip" / "1_R02C01", array.manifest, return_details=True)
    for whole, part in zip(together, alone, strict=True):
        pd.testing.assert_frame_equal(whole.iloc[[1]], part)
    (tmp_path / "plain").mkdir()
    plain = read_idat(second.write(tmp_path / "plain", "1_R02C01"), array.manifest)
    pd.testing.assert_frame_equal(plain, alone.betas)


def test_samples_with_other_bead_types_do_not_disturb_each_other(tmp_path, array):
    kept = np.random.default_rng(0).random(len(array.address)) < 0.9
    fewer = array.address[kept], array.green[kept], array.red[kept]
    paths = [
        array.write(tmp_path, "1_A"),
        write_pair(tmp_path, "1_B", *fewer),
        array.write(tmp_path, "1_C"),
    ]
    together = read_idat(tmp_path, array.manifest)
    alone = pd.concat([read_idat(path, array.manifest) for path in paths])
    pd.testing.assert_frame_equal(together, alone)
    assert 0.7 < together.loc["1_B"].notna().mean() < 0.95


def test_every_way_to_name_files(tmp_path, array):
    array.write(tmp_path, "1_A")
    array.write(tmp_path, "1_B", compress=True)
    (tmp_path / "notes.txt").write_text("not an array")
    expected = read_idat(tmp_path, array.manifest)
    for paths in (
        str(tmp_path),
        [tmp_path / "1_A", tmp_path / "1_B"],
        [tmp_path / "1_A_Grn.idat", tmp_path / "1_B_Red.idat.gz"],
        (tmp_path / "1_A_Red.idat", tmp_path / "1_A_Grn.idat", tmp_path),
    ):
        pd.testing.assert_frame_equal(read_idat(paths, array.manifest), expected)
    swapped = read_idat([tmp_path / "1_B", tmp_path / "1_A"], array.manifest)
    assert swapped.index.tolist() == ["1_B", "1_A"]


def test_a_packed_copy_beside_the_file_is_no_second_sample(tmp_path, array):
    array.write(tmp_path, "1_A")
    array.write(tmp_path, "1_A", compress=True)
    assert len(read_idat(tmp_path, array.manifest)) == 1


def test_manifest_once_read_gives_the_same(tmp_path, array):
    path = array.write(tmp_path)
    table = read_bead_manifest(array.manifest)
    pd.testing.assert_frame_equal(read_idat(path, table), read_idat(path, array.manifest))
    array.manifest.to_parquet(tmp_path / "manifest.parquet")
    from_file = read_idat(path, tmp_path / "manifest.parquet")
    pd.testing.assert_frame_equal(from_file, read_idat(path, table))


class TestErrors:
    def test_partner_is_missing(self, tmp_path, array):
        array.write(tmp_path, "1_A")
        (tmp_path / "1_A_Red.idat").unlink()
        for path in (tmp_path, tmp_path / "1_A", tmp_path / "1_A_Grn.idat"):
            with pytest.raises(DataFormatError, match=r"1_A_Grn.idat lacks its partner 1_A_Red"):
                read_idat(path, array.manifest)

    def test_folder_without_arrays(self, tmp_path, array):
        with pytest.raises(DataFormatError, match="holds no files"):
            read_idat(tmp_path, array.manifest)

    def test_name_that_is_nowhere(self, tmp_path, array):
        with pytest.raises(DataFormatError, match=r"is no folder.*holds no files 9_A_Grn.idat"):
            read_idat(tmp_path / "9_A", array.manifest)

    def test_empty_list(self, array):
        with pytest.raises(DataFormatError, match="list of IDAT files is empty"):
            read_idat([], array.manifest)

    def test_two_samples_of_one_name(self, tmp_path, array):
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            array.write(tmp_path / folder, "1_A")
        with pytest.raises(DataFormatError, match="two samples of one name, 1_A"):
            read_idat(tmp_path, array.manifest)

    @pytest.mark.parametrize("what", ["barcode", "position"])
    def test_colours_of_different_arrays(self, tmp_path, array, what):
        array.write(tmp_path, "1_A")
        other = array.write(tmp_path, "1_B", **{what: "other"})
        other.with_name("1_B_Red.idat").replace(tmp_path / "1_A_Red.idat")
        with pytest.raises(DataFormatError, match=f"different arrays: the {what}"):
            read_idat(tmp_path / "1_A", array.manifest)

    def test_damaged_file_is_named(self, tmp_path, array):
        array.write(tmp_path, "1_A")
        path = array.write(tmp_path, "1_B").with_name("1_B_Red.idat")
        path.write_bytes(path.read_bytes()[:3000])
        with pytest.raises(DataFormatError, match=r"1_B_Red.idat cannot be read as an IDAT"):
            read_idat(tmp_path, array.manifest)

    def test_manifest_of_another_array(self, tmp_path, array):
        other = array.manifest.assign(U=np.arange(len(array.manifest)), M=pd.NA, col="2")
        with pytest.raises(DataFormatError, match=r"hold 0% of the addresses.*another array"):
            read_idat(array.write(tmp_path), other)

    def test_colours_that_share_no_bead_type(self, tmp_path, array):
        path = array.write(tmp_path, "1_A")
        shifted = write_pair(tmp_path, "1_B", array.address + 10**9, array.green, array.red)
        shifted.with_name("1_B_Red.idat").replace(tmp_path / "1_A_Red.idat")
        with pytest.raises(DataFormatError, match=r"hold 0% of the addresses"):
            read_idat(path, array.manifest)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"dye_bias": "controls"}, "0 bead types of NORM_C or NORM_G controls"),
            ({"dye_bias": None, "background": "negative"}, "share 0 NEGATIVE controls"),
        ],
    )
    def test_manifest_without_controls(self, tmp_path, array, options, message):
        path = array.write(tmp_path)
        with pytest.raises(DataFormatError, match=message) as caught:
            read_idat(path, array.manifest.iloc[:1000], **options)
        assert str(path) in str(caught.value)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({}, "0 bead types of Infinium I probes in green"),
            ({"dye_bias": None}, "Only 0 bead types show out-of-band background"),
        ],
    )
    def test_manifest_without_infinium_1(self, tmp_path, options, message):
        array = SimulatedArray(0, 200)
        with pytest.raises(DataFormatError, match=message):
            read_idat(array.write(tmp_path), array.manifest, **options)

    @pytest.mark.parametrize(
        "options",
        [
            {"dye_bias": "noob"},
            {"background": "none"},
            {"detection_p": 1.5},
            {"min_beads": -1},
            {"offset": -1.0},
            {"return_details": "yes"},
        ],
    )
    def test_parameters_are_checked(self, tmp_path, array, options):
        with pytest.raises(InvalidParameterError, match=f"'{next(iter(options))}' parameter"):
            read_idat(array.write(tmp_path), array.manifest, **options)


@pytest.mark.parametrize(
    ("n_one", "n_two", "n_controls"),
    [
        pytest.param(135_476, 350_101, 850, id="450K"),
        pytest.param(142_158, 723_760, 635, id="EPIC", marks=pytest.mark.slow),
        pytest.param(128_295, 808_760, 635, id="EPICv2", marks=pytest.mark.slow),
    ],
)
def test_whole_arrays(tmp_path, n_one, n_two, n_controls):
    array = SimulatedArray(n_one, n_two, n_controls=n_controls)
    betas = read_idat(array.write(tmp_path), array.manifest).iloc[0]
    assert len(betas) == n_one + n_two
    assert betas.notna().mean() > 0.99
    assert betas.between(0, 1)[betas.notna()].all()
    assert (betas - array.beta).abs().median() < 0.05
