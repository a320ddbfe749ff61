# Reliability and HTMT of a three-factor model, for the functions that the bootstrap computes.
# Run from tests/reference/:  Rscript sem_functions.R      (lavaan 0.6-14, semTools 0.5-6, jsonlite 1.8.4)
suppressMessages({library(lavaan); library(semTools); library(jsonlite)})
data <- read.csv("data/sem_hs.csv")
model <- "
  visual  =~ x1 + x2 + x3
  textual =~ x4 + x5 + x6
  speed   =~ x7 + x8 + x9"
fit <- cfa(model, data)
h <- suppressWarnings(htmt(model, data, htmt2 = FALSE))
writeLines(toJSON(list(
  omega = as.list(compRelSEM(fit, obs.var = FALSE)),
  htmt = list("visual - textual" = h[2, 1], "visual - speed" = h[3, 1], "textual - speed" = h[3, 2])
), digits = NA, auto_unbox = TRUE, pretty = TRUE), "sem_functions.json")
