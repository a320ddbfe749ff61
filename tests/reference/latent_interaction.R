# Reference numbers for latent interactions by product indicators, and for the linear model that LMS reduces to.
# Run from tests/reference:  Rscript latent_interaction.R
# Printed by R 4.2.2, lavaan 0.6-14, semTools 0.5-6, jsonlite 1.8.4.
suppressPackageStartupMessages({library(lavaan); library(semTools); library(jsonlite)})

d <- read.csv("data/latent_interaction.csv")
linear <- "x =~ x1 + x2 + x3
           m =~ m1 + m2 + m3
           c =~ c1 + c2 + c3
           y =~ y1 + y2 + y3
           y ~ x + m + c"

estimates <- function(fit) {
  e <- parameterEstimates(fit, standardized = TRUE)
  e[e$op != "~1", c("lhs", "op", "rhs", "est", "se", "std.all")]
}
measures <- function(fit) as.list(fitMeasures(fit, c("chisq", "df", "cfi", "rmsea", "logl", "npar", "aic", "bic")))

fit0 <- sem(linear, d, meanstructure = TRUE)
out <- list(linear = list(estimates = estimates(fit0), measures = measures(fit0)))

dm <- indProd(d, var1 = c("x1", "x2", "x3"), var2 = c("m1", "m2", "m3"), match = TRUE,
              meanC = TRUE, residualC = FALSE, doubleMC = TRUE)
matched <- paste(linear, "xm =~ x1.m1 + x2.m2 + x3.m3
                          y ~ xm", sep = "\n")
fit1 <- sem(matched, dm)
fit1r <- sem(matched, dm, estimator = "MLR")
out$matched <- list(estimates = estimates(fit1), measures = measures(fit1), robust_se = parameterEstimates(fit1r)$se)
out$matched$chisq_without <- unname(fitMeasures(sem(sub("y ~ xm", "y ~ 0*xm", matched), dm), "chisq"))

da <- indProd(d, var1 = c("x1", "x2", "x3"), var2 = c("m1", "m2", "m3"), match = FALSE,
              meanC = TRUE, residualC = FALSE, doubleMC = TRUE)
pairs <- expand.grid(m = 1:3, x = 1:3)
prod <- paste0("x", pairs$x, ".m", pairs$m)
shared <- c()
for (i in 1:8) for (j in (i + 1):9)
  if (pairs$x[i] == pairs$x[j] || pairs$m[i] == pairs$m[j]) shared <- c(shared, paste(prod[i], "~~", prod[j]))
all_pairs <- paste(linear, paste("xm =~", paste(prod, collapse = " + ")), "y ~ xm", paste(shared, collapse = "\n"), sep = "\n")
fit2 <- sem(all_pairs, da)
out$all <- list(estimates = estimates(fit2), measures = measures(fit2))

write_json(out, "latent_interaction.json", digits = NA, auto_unbox = TRUE, na = "null")
