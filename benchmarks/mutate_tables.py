"""Damaged tables: how each reader takes files that were cut, altered or wrongly encoded.

Small harmless files of every kind are damaged at random and read by another process with a time
limit, so that a crash or an endless loop of a library shows too. Outcomes:

    refused     an error that names the file
    unclear     an error that does not, or is of no kind that a user would expect
    identical   the damage did not matter
    warned      read, with a warning
    different   read without a word, and not the same table: the cases to think about
    crashed     the process died
    hung        no answer within `--limit` seconds

    python benchmarks/mutate_tables.py --seed 0 --count 2000

Prints a table of outcomes and, with `--show`, that many of the cases of each bad kind, with the
seed that makes each one anew (`--only SEED`). The damaged files themselves are not kept unless
`--keep DIR` is given. The exit code is 1 if a process crashed or hung, or an error was unclear.
"""

import argparse
import gzip
import json
import select
import subprocess
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

SHAPE = 8, 6  # features, samples
BAD = ("unclear", "crashed", "hung", "different")
OUTCOMES = ("refused", "identical", "warned", *BAD)


# --- files ---


def values():
    return np.random.default_rng(0).uniform(0.05, 0.95, SHAPE).round(6)


def names():
    return [f"cg{k:08d}" for k in range(SHAPE[0])], [f"TCGA-A{k}" for k in range(SHAPE[1])]


def matrix(corner, sep, *, samples=None, number=str):
    probes, columns = names()
    rows = zip(probes, values(), strict=True)
    lines = [sep.join([corner, *(samples or columns)])]
    return "\n".join([*lines, *(sep.join([name, *map(number, row)]) for name, row in rows)]) + "\n"


def series_matrix():
    samples = [f'"GSM{k}"' for k in range(SHAPE[1])]
    return "\n".join(
        [
            '!Series_title\t"A study"',
            "!Sample_geo_accession\t" + "\t".join(samples),
            "!Sample_characteristics_ch1\t" + "\t".join(['"age: 52"'] * SHAPE[1]),
            "!series_matrix_table_begin",
            matrix('"ID_REF"', "\t", samples=samples) + "!series_matrix_table_end\n",
        ]
    )


def gct():
    samples = names()[1]
    lines = ["#1.2", f"{SHAPE[0]}\t{SHAPE[1]}", "\t".join(["Name", "Description", *samples])]
    for k, row in enumerate(values()):
        lines.append("\t".join([f"ENSG{k:011d}.1", f"GENE{k}", *map("{:.4f}".format, 90 * row)]))
    return "\n".join(lines) + "\n"


def gene_csv():
    lines = ["gene_id,gene_symbol,chromosome,start,end,strand"]
    lines += [f"ENSG{k:011d},GENE{k},{1 + k},{1000 + k},{2000 + k},+" for k in range(12)]
    return "\n".join(lines) + "\n"


def probemap():
    lines = ["id\tgene\tchrom\tchromStart\tchromEnd\tstrand"]
    lines += [f"cg{k:08d}\tGENE{k}\tchr{1 + k}\t{9000 + k}\t{9001 + k}\t+" for k in range(12)]
    return "\n".join(lines) + "\n"


def gtf():
    lines = ["#!genome-build GRCh38"]
    for k in range(12):
        said = f'gene_id "ENSG{k:011d}"; gene_type "protein_coding"; gene_name "GENE{k}";'
        place = f"chr{1 + k}\tHAVANA\tgene\t{1000 + k}\t{2000 + k}\t.\t+\t."
        lines.append(f"{place}\t{said}")
    return "\n".join(lines) + "\n"


def frame():
    probes, samples = names()
    return pd.DataFrame(values().astype(np.float32), probes, samples).T


def write_binary(kind, path):
    from omitrans.io import write_h5ad, write_h5mu

    if kind == "parquet":
        frame().to_parquet(path)
    elif kind == "h5ad":
        write_h5ad(frame(), path, unit="beta")
    elif kind == "h5mu":
        write_h5mu({"a": frame()}, path)
    else:
        from omitrans.io import read_matrix

        table = path.with_name("values.csv")
        frame().to_csv(table)
        read_matrix(table, out=path)


TEXTS = {
    "tsv": lambda: matrix("id", "\t"),
    "csv": lambda: matrix("id", ","),
    "tsv.gz": lambda: matrix("id", "\t"),
    "xena": lambda: matrix("sample", "\t"),
    "geo": series_matrix,
    "gct": gct,
    "genes.csv": gene_csv,
    "probemap": probemap,
    "gtf": gtf,
}
BINARY = ("parquet", "npy", "h5ad", "h5mu")
KINDS = (*TEXTS, *BINARY)


def read(kind, path):
    """Return what a reader makes of a file, as one table."""
    from omitrans import io

    if kind == "xena":
        return io.read_xena(path)
    if kind == "geo":
        table, samples, _ = io.read_geo_series_matrix(path)
        return table.join(samples)
    if kind == "gct":
        return io.read_gtex(path, log=False).X
    if kind in ("genes.csv", "gtf"):
        return io.read_gene_table(path)
    if kind == "probemap":
        return io.read_probemap(path)
    if kind == "h5ad":
        return io.read_h5ad(path)
    if kind == "h5mu":
        return io.read_h5mu(path)["a"]
    return io.read_matrix(path, samples="rows" if kind == "parquet" else "columns")


# --- damage ---


def damage_text(text, rng):
    """Return bytes of a text that was damaged in one way, and the name of the way."""
    lines = text.rstrip("\n").split("\n")
    row = int(rng.integers(len(lines)))
    sep = max("\t,", key=text.count)
    fields = lines[row].split(sep)
    column = int(rng.integers(len(fields)))
    odd = ["", "NA", "1,5", "inf", "1e999", "0x1f", "--", "\x00", '"', "9" * 400, "-1", " 0.5 "]
    ways = {
        "cut": lambda: text[: int(rng.integers(1, len(text)))],
        "cut in the last line": lambda: text[: -1 - int(rng.integers(1, len(lines[-1])))],
        "a cell": lambda: with_cell(odd[int(rng.integers(len(odd)))]),
        "a cell lost": lambda: with_row(sep.join(fields[:column] + fields[column + 1 :])),
        "a cell more": lambda: with_row(lines[row] + sep + "0.5"),
        "another separator": lambda: with_row(lines[row].replace(sep, ";", 1)),
        "other separators": lambda: text.replace(sep, ";,\t|"[int(rng.integers(4))]),
        "a line twice": lambda: "\n".join([*lines[:row], lines[row], *lines[row:]]) + "\n",
        "a line lost": lambda: "\n".join(lines[:row] + lines[row + 1 :]) + "\n",
        "an id twice": lambda: with_cell(lines[row - 1].split(sep)[0], 0),
        "a name twice": lambda: with_cell(fields[column - 1]),
        "a byte": lambda: flipped(text.encode(), rng),
        "bytes lost": lambda: without(text.encode(), rng),
        "bytes twice": lambda: twice(text.encode(), rng),
        "UTF-16": lambda: text.encode("utf-16"),
        "Latin-1": lambda: text.replace("A", "Ä").encode("latin-1"),
        "a mark of UTF-8": lambda: text.encode("utf-8-sig"),
        "line ends of Windows": lambda: text.replace("\n", "\r\n"),
        "line ends of old Macs": lambda: text.replace("\n", "\r"),
        "blank lines": lambda: text.replace("\n", "\n\n"),
        "no line end": lambda: text[:-1],
        "decimal commas": lambda: text.replace(".", ","),
        "quoted": lambda: '"' + text.replace(sep, f'"{sep}"').replace("\n", '"\n"')[:-1],
    }

    def with_row(line):
        return "\n".join([*lines[:row], line, *lines[row + 1 :]]) + "\n"

    def with_cell(cell, place=column):
        return with_row(sep.join([*fields[:place], cell, *fields[place + 1 :]]))

    way = list(ways)[int(rng.integers(len(ways)))]
    found = ways[way]()
    return way, found.encode() if isinstance(found, str) else found


def damage_bytes(data, rng):
    """Return bytes that were damaged in one way, and the name of the way."""
    ways = {
        "cut": lambda: data[: int(rng.integers(len(data)))],
        "a byte": lambda: flipped(data, rng),
        "eight bytes": lambda: flipped(data, rng, 8),
        "bytes lost": lambda: without(data, rng),
        "bytes twice": lambda: twice(data, rng),
        "zeros": lambda: zeroed(data, rng),
        "more bytes": lambda: data + rng.bytes(20),
    }
    way = list(ways)[int(rng.integers(len(ways)))]
    return way, ways[way]()


def place_in(data, rng):
    """Return a place; more often near the ends, where formats keep what they need most."""
    edge = int(rng.integers(3))
    near = int(rng.integers(min(len(data), 400)))
    return {0: near, 1: len(data) - 1 - near}.get(edge, int(rng.integers(len(data))))


def flipped(data, rng, n_bytes=1):
    start = place_in(data, rng)
    block = data[start : start + n_bytes]
    changed = bytes(byte ^ int(rng.integers(1, 256)) for byte in block)
    return data[:start] + changed + data[start + n_bytes :]


def without(data, rng):
    start = place_in(data, rng)
    return data[:start] + data[start + int(rng.integers(1, 30)) :]


def twice(data, rng):
    start = place_in(data, rng)
    return data[: start + int(rng.integers(1, 30))] + data[start:]


def zeroed(data, rng):
    start = place_in(data, rng)
    n_bytes = len(data[start : start + 64])
    return data[:start] + bytes(n_bytes) + data[start + n_bytes :]


def damaged(kind, originals, seed):
    """Return the damage done by a seed, and the bytes."""
    rng = np.random.default_rng(seed)
    if kind not in TEXTS:
        return damage_bytes(originals[kind], rng)
    if kind != "tsv.gz":
        return damage_text(TEXTS[kind](), rng)
    if rng.integers(2):
        way, data = damage_text(TEXTS[kind](), rng)
        return f"{way}, then compressed", gzip.compress(data, mtime=0)
    return damage_bytes(originals[kind], rng)


# --- outcomes ---


def outcome(kind, path, expected):
    """Return what becomes of a damaged file, and what was said."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            table = read(kind, path)
        except (ValueError, OSError, MemoryError) as error:
            named = path.name in str(error)
            return "refused" if named else "unclear", f"{type(error).__name__}: {error}"
        except Exception as error:
            return "unclear", f"{type(error).__name__}: {error}"
    if said:
        return "warned", str(said[0].message)
    if table.equals(expected):
        return "identical", ""
    return "different", difference(table, expected)


def difference(table, expected):
    if table.shape != expected.shape:
        return f"shape {table.shape} instead of {expected.shape}"
    for what in ("index", "columns"):
        one, other = getattr(table, what), getattr(expected, what)
        if not one.equals(other):
            place = int(np.flatnonzero(np.asarray(one != other))[0])
            return f"{what}: {one[place]!r} instead of {other[place]!r}"
    one, other = (part.astype(object).where(part.notna(), None) for part in (table, expected))
    odd = ((one != other) & (one.notna() | other.notna())).to_numpy()
    row, column = np.argwhere(odd)[0] if odd.any() else (0, 0)
    found, due = table.iloc[row, column], expected.iloc[row, column]
    return f"{odd.sum()} cells, first {table.columns[column]}: {found!r} instead of {due!r}"


def serve():
    """Read files whose kinds and paths come in by lines; print an outcome for each."""
    expected = {}
    for line in sys.stdin:
        kind, path, original = json.loads(line)
        if kind not in expected:
            expected[kind] = read(kind, Path(original))
        print(json.dumps(outcome(kind, Path(path), expected[kind])), flush=True)


class Reader:
    """A process that reads, and is started anew after it died or did not answer."""

    def __init__(self, limit):
        self.limit = limit
        self.process = None

    def ask(self, *question):
        if self.process is None:
            command = [sys.executable, __file__, "--serve"]
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
            )
            limit = self.limit + 60  # to import
        else:
            limit = self.limit
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], limit)[0]:
            self.close()
            return "hung", f"no answer in {limit} s"
        answer = self.process.stdout.readline()
        if not answer:
            code = self.close()
            return "crashed", f"exit code {code}"
        return json.loads(answer)

    def close(self):
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            return process.wait()
        return None


def run(options, folder):
    """Damage and read; return a row for each file."""
    originals, paths = {}, {}
    for kind in KINDS:
        paths[kind] = folder / f"original.{kind}"
        if kind in TEXTS:
            data = TEXTS[kind]().encode()
            paths[kind].write_bytes(gzip.compress(data, mtime=0) if kind == "tsv.gz" else data)
        else:
            write_binary(kind, paths[kind])
        originals[kind] = paths[kind].read_bytes()
    reader = Reader(options.limit)
    rows = []
    seeds = range(options.seed, options.seed + options.count)
    for seed in seeds if options.only is None else [options.only]:
        kind = KINDS[seed % len(KINDS)]
        way, data = damaged(kind, originals, seed)
        path = folder / f"damaged{seed}.{kind}"
        path.write_bytes(data)
        found, said = reader.ask(kind, str(path), str(paths[kind]))
        rows.append((seed, kind, way, found, said))
        path.unlink()
    reader.close()
    return pd.DataFrame(rows, columns=["seed", "kind", "damage", "outcome", "said"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--only", type=int, help="seed of one damaged file")
    parser.add_argument("--limit", type=float, default=20.0, help="seconds for each file")
    parser.add_argument("--show", type=int, default=10, help="bad cases of each kind to list")
    parser.add_argument("--keep", type=Path, help="folder for the table of all outcomes")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return 0
    with TemporaryDirectory() as folder:
        rows = run(options, Path(folder))
    counts = pd.crosstab(rows["kind"], rows["outcome"]).reindex(columns=OUTCOMES, fill_value=0)
    counts.loc["all"] = counts.sum()
    print(counts.to_string(), end="\n\n")
    for bad in BAD:
        for row in rows[rows["outcome"] == bad].head(options.show).itertuples():
            print(f"{bad}, seed {row.seed}, {row.kind}, {row.damage}: {row.said[:160]!r}")
    different = rows[rows["outcome"] == "different"]
    if len(different):
        print("\ndifferent, by damage:")
        print(different.groupby(["damage"])["kind"].agg(["size", "unique"]).to_string())
    if options.keep is not None:
        rows.to_csv(options.keep / "mutate_tables.csv", index=False)
    return int(rows["outcome"].isin(BAD[:3]).any())


if __name__ == "__main__":
    sys.exit(main())
