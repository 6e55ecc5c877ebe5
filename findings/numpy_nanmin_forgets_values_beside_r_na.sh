#!/usr/bin/env bash
# numpy.nanmin, nanmax, fmin and fmax give wrong numbers where a value is R's NA, a NaN that signals (bits
# 7FF0 0000 0000 07A2): they forget the smallest value in front of it, or give NaN. It is missing for
# numpy.isnan, and rdata returns it for every NA of R.
#
# Versions: rdata 1.1.0, numpy 2.4.6, on x86-64.
# Seen: nanmin of (1, NA, 2) is 2, nanmin of (1, 2, NA) is NaN; with Python's NaN both are 1. There is no
# error, only the RuntimeWarning of every computation with such a NaN.
# This script fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rdata==1.1.0 numpy==2.4.6
cd "$folder"
# What saveRDS(c(1, NA, 2), ascii = TRUE) and saveRDS(c(1, 2, NA), ascii = TRUE) write.
printf '%s\n' A 3 262657 197888 5 UTF-8 14 3 1 NA 2 > middle.rds
printf '%s\n' A 3 262657 197888 5 UTF-8 14 3 1 2 NA > last.rds
"$folder/venv/bin/python" -W ignore::RuntimeWarning - <<'PYTHON'
import numpy as np
import rdata

print(f"rdata {rdata.__version__}, numpy {np.__version__}")
for name, wrong in (("middle", 2.0), ("last", np.nan)):
    of_r = rdata.read_rds(f"{name}.rds")
    of_python = np.where(np.isnan(of_r), np.nan, of_r)
    found = [float(np.nanmin(of_r)), float(np.fmin.reduce(of_r)), float(np.nanmin(of_python))]
    print(f"{name}: {of_r}: nanmin {found[0]}, fmin {found[1]}; nanmin with Python's NaN {found[2]}")
    np.testing.assert_equal(found, [wrong, wrong, 1.0])
PYTHON
