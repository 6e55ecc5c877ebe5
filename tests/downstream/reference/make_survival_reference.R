# Values of R's package survival that test_prognosis_genes.py and others hold ours to.
# Run here: Rscript make_survival_reference.R   (made with R 4.2.2 and survival 3.5-3)
library(survival)
set.seed(20261128)
n <- 90
genes <- paste0("g", 1:6)
x <- as.data.frame(matrix(round(rnorm(n * 6), 3), n, dimnames = list(NULL, genes)))
x$g3 <- round(exp(2 * x$g3), 3) # a heavy tail
x$g4 <- round(x$g4 / 1000, 6) # tiny units
x$g5 <- 1000 * x$g5 + 50000 # far from zero
x$g6 <- as.numeric(x$g6 > 0.5) # two values
x$age <- round(rnorm(n, 60, 10))
x$sex <- rbinom(n, 1, 0.5)
x$site <- sample(1:3, n, replace = TRUE)
hazard <- exp(0.8 * x$g1 - 0.5 * x$g2 + 0.03 * (x$age - 60) + 0.5 * x$sex)
death <- rexp(n, 0.05 * hazard)
censored <- rexp(n, 0.03)
x$time <- ceiling(pmin(death, censored)) # whole months: many ties
x$event <- as.integer(death <= censored)
x$fine <- pmin(death, censored) # no ties
x$fine <- round(x$fine, 6)
write.csv(x, "survival_samples.csv", row.names = FALSE)

control <- coxph.control(eps = 1e-13, iter.max = 60, toler.chol = 1e-14)
rows <- list()
models <- list(plain = c("1", ""), strata = c("1", "+ strata(site)"),
               covariates = c("age + sex", ""), both = c("age + sex", "+ strata(site)"))
for (ties in c("efron", "breslow")) for (when in c("time", "fine")) for (model in names(models)) {
  outcome <- paste0("Surv(", when, ", event) ~ ")
  part <- models[[model]]
  null <- coxph(as.formula(paste(outcome, part[1], part[2])), x, ties = ties, control = control)
  start <- c(0, if (part[1] == "1") NULL else coef(null))
  for (gene in genes) {
    formula <- as.formula(paste(outcome, gene, "+", part[1], part[2]))
    fit <- coxph(formula, x, ties = ties, control = control)
    at_null <- coxph(formula, x, ties = ties, init = start, control = coxph.control(iter.max = 0))
    z <- coef(fit)[1] / sqrt(vcov(fit)[1, 1])
    rows[[length(rows) + 1]] <- data.frame(
      ties = ties, time = when, model = model, gene = gene, coef = coef(fit)[1],
      se = sqrt(vcov(fit)[1, 1]), wald = z^2, score = at_null$score,
      lr = 2 * (tail(fit$loglik, 1) - tail(null$loglik, 1)))
  }
}
options(digits = 15)
write.csv(do.call(rbind, rows), "coxph.csv", row.names = FALSE)

rows <- list()
for (ties in c("efron", "breslow")) for (theta in c(0.5, 20)) {
  fit <- coxph(Surv(time, event) ~ ridge(g1, g2, g3, g6, age, sex, theta = theta, scale = FALSE),
               x, ties = ties, control = coxph.control(eps = 1e-13, iter.max = 60, toler.chol = 1e-14))
  rows[[length(rows) + 1]] <- data.frame(
    ties = ties, theta = theta, variable = c("g1", "g2", "g3", "g6", "age", "sex"), coef = coef(fit))
}
write.csv(do.call(rbind, rows), "coxph_ridge.csv", row.names = FALSE)

risk <- list(g1 = x$g1, sex = x$sex, rounded = round(x$g1))
rows <- list()
for (when in c("time", "fine")) for (name in names(risk)) {
  outcome <- Surv(x[[when]], x$event)
  harrell <- concordance(outcome ~ risk[[name]], reverse = TRUE)
  uno <- concordance(outcome ~ risk[[name]], reverse = TRUE, timewt = "n/G2")
  cut <- concordance(outcome ~ risk[[name]], reverse = TRUE, timewt = "n/G2", ymax = 20)
  rows[[length(rows) + 1]] <- data.frame(
    time = when, risk = name, harrell = harrell$concordance, uno = uno$concordance,
    uno_20 = cut$concordance, concordant = harrell$count[["concordant"]],
    discordant = harrell$count[["discordant"]], tied = harrell$count[["tied.x"]])
}
write.csv(do.call(rbind, rows), "concordance.csv", row.names = FALSE)

clusters <- c("low", "high")[1 + (x$g1 > 0)]
for (group in c("low", "high")) {
  km <- survfit(Surv(time, event) ~ 1, x[clusters == group, ], conf.type = "log-log")
  table <- data.frame(group = group, time = km$time, at_risk = km$n.risk, events = km$n.event,
                      censored = km$n.censor, survival = km$surv, lower = km$lower, upper = km$upper)
  write.table(table, "kaplan_meier.csv", sep = ",", row.names = FALSE,
              col.names = group == "low", append = group == "high")
}
test <- survdiff(Surv(time, event) ~ site, x)
write.csv(data.frame(chisq = test$chisq, p = test$pvalue), "log_rank.csv", row.names = FALSE)
