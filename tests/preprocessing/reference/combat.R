# Writes combat.csv: what Bioconductor's sva::ComBat makes of one small table in several settings.
# Run: Rscript tests/preprocessing/reference/combat.R (R 4.2.2, sva 3.46.0)
suppressPackageStartupMessages(library(sva))
RNGversion("4.0.0")
set.seed(1)
n_genes <- 12
batch <- rep(c("a", "b", "c"), c(9, 6, 8))
group <- rep(c("case", "control", "control"), length.out = length(batch))
group[c(2, 11, 20)] <- "other"
age <- round(rnorm(length(batch), 60, 10))
X <- matrix(rnorm(n_genes * length(batch)), n_genes) * runif(n_genes, 0.5, 2) + rnorm(n_genes, 5)
X <- X + outer(rnorm(n_genes), 1.5 * (group == "case")) + outer(rnorm(n_genes, 0, 0.05), age - 60)
for (name in unique(batch)) {
  of <- batch == name
  X[, of] <- X[, of] * runif(n_genes, 0.7, 1.5) + rnorm(n_genes, rnorm(1), 0.5)
}
X <- round(X, 6)
single <- batch
single[1] <- "d"
mod <- model.matrix(~ group + age)
results <- list(
  data = X,
  plain = ComBat(X, batch),
  mod = ComBat(X, batch, mod),
  reference = ComBat(X, batch, ref.batch = "b"),
  mod_reference = ComBat(X, batch, mod, ref.batch = "b"),
  mean_only = ComBat(X, batch, mean.only = TRUE),
  mod_mean_only = ComBat(X, batch, mod, mean.only = TRUE),
  single = ComBat(X, single),
  mod_single = ComBat(X, single, mod)
)
frames <- lapply(names(results), function(setting) {
  data.frame(
    setting, batch, single, group, age,
    `colnames<-`(round(t(results[[setting]]), 7), paste0("g", seq_len(n_genes)))
  )
})
path <- sub("R$", "csv", sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
write.csv(do.call(rbind, frames), path, row.names = FALSE, quote = FALSE)
