"""Write IDAT files and manifests of arrays whose truth is known."""

import gzip
import struct

import numpy as np
import pandas as pd


def idat_bytes(
    address,
    mean,
    sd=None,
    n_beads=None,
    *,
    barcode="200000000001",
    position="R01C01",
    version=3,
    count=None,
    offsets=None,
    omit=(),
):
    """Return a version-3 IDAT file; `count`, `offsets` and `omit` make it wrong on purpose."""
    n = len(address)
    sd = np.zeros(n) if sd is None else sd
    n_beads = np.full(n, 10) if n_beads is None else n_beads
    bodies = {
        1000: struct.pack("<i", n if count is None else count),
        102: np.asarray(address, "<i4").tobytes(),
        103: np.asarray(sd, "<u2").tobytes(),
        104: np.asarray(mean, "<u2").tobytes(),
        107: np.asarray(n_beads, "u1").tobytes(),
        200: struct.pack("<i", n) + np.asarray(address, "<i4").tobytes(),
        400: struct.pack("<i", 0),
        401: text(""),
        402: text(barcode),
        403: text("BeadChip 8x5"),
        404: text(position),
        405: text(""),
        406: text(""),
        407: text(""),
        408: text(""),
        409: text(""),
        300: struct.pack("<i", 1) + b"".join(map(text, ("1/1/2026", "Scan", "a=1", "Call", "1"))),
        510: text(""),  # a code no reader knows
    }
    bodies = {code: body for code, body in bodies.items() if code not in omit}
    start = 4 + 8 + 4 + 10 * len(bodies)
    header, at = b"", start
    for code, body in bodies.items():
        header += struct.pack("<Hq", code, (offsets or {}).get(code, at))
        at += len(body)
    return struct.pack("<4sqi", b"IDAT", version, len(bodies)) + header + b"".join(bodies.values())


def text(value):
    """Return a text behind its length, seven bits a byte."""
    data, length, prefix = value.encode(), len(value.encode()), b""
    while length > 0x7F:
        prefix += bytes([length & 0x7F | 0x80])
        length >>= 7
    return prefix + bytes([length]) + data


def write_pair(folder, sample, address, green, red, *, compress=False, **options):
    """Write both files of a sample, and return the basename that stands for them."""
    for colour, mean in (("Grn", green), ("Red", red)):
        data = idat_bytes(address, mean, **options)
        name = f"{sample}_{colour}.idat"
        if compress:
            (folder / f"{name}.gz").write_bytes(gzip.compress(data, compresslevel=1, mtime=0))
        else:
            (folder / name).write_bytes(data)
    return folder / sample


class SimulatedArray:
    """An array with both designs and controls, and one sample hybridised to it.

    Half of the Infinium I probes are green. Red is `red_factor` times brighter than green, and
    `share_empty` of the probes show background alone. Attributes: `manifest`, `address`, `green`
    and `red` (along the bead types), `beta` and `empty` (along the probes).
    """

    def __init__(
        self,
        n_one,
        n_two,
        *,
        n_controls=400,
        red_factor=1.0,
        share_empty=0.0,
        normal_background=False,
        beta=None,
        seed=0,
    ):
        rng = np.random.default_rng(seed)
        n = n_one + n_two
        n_beads = 2 * n_one + n_two + n_controls
        self.address = np.sort(rng.choice(20 * n_beads, n_beads, replace=False) + 10_000_000)
        at = rng.permutation(n_beads)
        m_at, u_at = at[:n_one], at[n_one : n_one + n]
        control_at = at[n_one + n :]
        is_red = np.arange(n_one) % 2 == 1
        drawn = rng.choice([0.05, 0.5, 0.9], n) + rng.uniform(-0.04, 0.04, n)
        self.beta = drawn if beta is None else np.asarray(beta, dtype=float)
        self.empty = rng.random(n) < share_empty
        total = rng.gamma(8, 700, n) * ~self.empty
        background = rng.normal(400, 60, (2, n_beads))
        signal = background if normal_background else rng.gamma(9, 30, (2, n_beads))
        m, u = total * self.beta, total * (1 - self.beta)
        one = np.arange(n_one)
        signal[is_red.astype(int), m_at] += m[one]
        signal[is_red.astype(int), u_at[one]] += u[one]
        signal[0, u_at[n_one:]] += m[n_one:]
        signal[1, u_at[n_one:]] += u[n_one:]
        kinds = np.resize(
            ["NEGATIVE", "NEGATIVE", "NORM_A", "NORM_C", "NORM_G", "NORM_T"], n_controls
        )
        signal[1, control_at[np.isin(kinds, ["NORM_A", "NORM_T"])]] += 6000
        signal[0, control_at[np.isin(kinds, ["NORM_C", "NORM_G"])]] += 6000
        signal[1] *= red_factor
        self.green, self.red = np.minimum(np.rint(signal), 65535).astype(int)
        first = np.full(n + n_controls, -1)
        first[:n_one] = self.address[m_at]
        ids = [f"cg{i:08d}" for i in range(n)]
        ids += [f"ctl_{a}_{k}" for a, k in zip(self.address[control_at], kinds, strict=True)]
        colour = np.full(n + n_controls, "2")
        colour[:n_one] = np.where(is_red, "R", "G")
        self.manifest = pd.DataFrame(
            {
                "M": pd.Series(first, ids, "Int64").mask(first < 0),
                "U": self.address[np.append(u_at, control_at)],
                "col": colour,
            },
            index=pd.Index(ids, name="probe_id"),
        )

    def write(self, folder, sample="200000000001_R01C01", **options):
        """Write the sample's two files, and return their basename."""
        return write_pair(folder, sample, self.address, self.green, self.red, **options)


def write_samples(table, folder, n_one, **options):
    """Write a pair of files for each row of a table of beta values, every other one packed.

    The first `n_one` columns become Infinium I probes. `options` go to `SimulatedArray`. Returns
    the path of the manifest, which is written beside the files.
    """
    for i, (_, beta) in enumerate(table.iterrows()):
        array = SimulatedArray(n_one, table.shape[1] - n_one, beta=beta, **options)
        position = f"R{i + 1:02d}C01"
        name = f"200000000001_{position}"
        array.write(folder, name, position=position, compress=bool(i % 2))
    ids = [*table.columns, *array.manifest.index[table.shape[1] :]]
    manifest = array.manifest.set_axis(pd.Index(ids, name="probe_id"))
    manifest.to_parquet(folder / "manifest.parquet")
    return folder / "manifest.parquet"
