#!/usr/bin/env bash
# sva::ComBat with mean.only=TRUE leaves nearly all of a gene's own batch effect, however many samples a
# batch has: it shrinks the mean of a batch as if it were that of one sample (postmean is called with
# n = 1). A single batch with one sample switches this on for all batches, with only a message.
#
# Versions: R 4.2.2, sva 3.46.0 (Debian 12: apt-get install r-bioc-sva).
# Seen: with 400 samples in each of two batches and shifts of the genes of 0.5 standard deviations, the
# shifts that are left are 0.02 after ComBat, and 0.475 with mean.only=TRUE or with one more sample in a
# batch of its own.
# This script fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
command -v Rscript > /dev/null || { echo "Install R and sva first: apt-get install r-bioc-sva"; exit 1; }
Rscript --vanilla - <<'R'
suppressPackageStartupMessages(library(sva))
cat("R", as.character(getRversion()), "sva", as.character(packageVersion("sva")), "\n")
set.seed(1)
n <- 400
batch <- rep(c("a", "b"), each = n)
X <- matrix(rnorm(2000 * 2 * n), 2000)
X[, batch == "b"] <- X[, batch == "b"] + rnorm(2000, 0, 0.5)
left <- function(Y) sqrt(mean((rowMeans(Y[, batch == "b"]) - rowMeans(Y[, batch == "a"]))^2))
combat <- function(...) suppressMessages(ComBat(...))
one_more <- combat(cbind(X, rnorm(2000)), c(batch, "c"))[, seq_along(batch)]
shifts <- c(
  before = left(X),
  ComBat = left(combat(X, batch)),
  mean.only = left(combat(X, batch, mean.only = TRUE)),
  one_more_sample = left(one_more)
)
print(round(shifts, 3))
stopifnot(shifts[["ComBat"]] < 0.05, shifts[["mean.only"]] > 0.4, shifts[["one_more_sample"]] > 0.4)
R
