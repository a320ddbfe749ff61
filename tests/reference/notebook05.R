# Reference numbers for notebook 05: the structure of the switching-cost scale (simulated data).
# Run from the project's top folder:  Rscript tests/reference/notebook05.R
# Printed by R 4.2.2 with lavaan 0.6-14. Writes tests/reference/notebook05.json.
suppressMessages(library(lavaan))
library(jsonlite)

raw <- read.csv("data/simulated/telecom_survey/telecom_survey.csv")
facets <- list(er = 1:6, ev = 1:4, le = 1:3, su = 1:4, bl = 1:3, ml = 1:2, pr = 1:4, br = 1:3)  # le4 left out
items <- unlist(lapply(names(facets), function(f) paste0(f, facets[[f]])))
all30 <- append(items, "le4", after = match("le3", items))
straight <- apply(raw[, all30], 1, function(r) length(unique(r[!is.na(r)])) == 1)
data <- raw[!duplicated(raw) & !straight, ]
for (v in c("er4", "ev4", "le4", "su3", "pr3")) data[[v]] <- 6 - data[[v]]
data <- na.omit(data[, items])

first <- paste(sapply(names(facets), function(f) paste(f, "=~", paste0(f, facets[[f]], collapse = " + "))), collapse = "\n")
models <- list(
  one = paste("cost =~", paste(items, collapse = " + ")),
  three = paste("procedural =~", paste(items[1:17], collapse = " + "), "\nfinancial =~", paste(items[18:22], collapse = " + "),
                "\nrelational =~", paste(items[23:29], collapse = " + ")),
  eight = first,
  eight_in_one = paste(first, "\ncost =~ er + ev + le + su + bl + ml + pr + br"),
  eight_in_two = paste(first, "\nprocedural =~ er + ev + le + su\nstakes =~ bl + ml + pr + br"),
  eight_in_three = paste(first, "\nprocedural =~ er + ev + le + su\nfinancial =~ bl + ml\nrelational =~ pr + br")
)
which <- c("chisq", "df", "pvalue", "cfi", "tli", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "srmr", "aic", "bic", "logl", "npar")
out <- list(lavaan = as.character(packageVersion("lavaan")), n = nrow(data))
for (name in names(models)) {
  fit <- cfa(models[[name]], data)
  m <- as.list(fitmeasures(fit, which))
  names(m) <- gsub(".", "_", names(m), fixed = TRUE)
  out$measures[[name]] <- lapply(m, unbox)
  if (name == "eight_in_three") {
    est <- parameterEstimates(fit)[, c("lhs", "op", "rhs", "est", "se")]
    est$std_all <- standardizedSolution(fit)$est.std
    out$estimates <- est
  }
}
# bifactor: a general factor and eight uncorrelated specific ones; the two loadings of the two-item facet are equal
spec <- sub("ml =~ ml1 + ml2", "ml =~ a*ml1 + a*ml2", first, fixed = TRUE)
bi <- cfa(paste(spec, "\ncost =~", paste(items, collapse = " + ")), data, orthogonal = TRUE, std.lv = TRUE)
m <- as.list(fitmeasures(bi, which)); names(m) <- gsub(".", "_", names(m), fixed = TRUE)
out$measures$bifactor <- lapply(m, unbox)
out$bifactor_converged <- lavInspect(bi, "converged")
write(toJSON(out, digits = 15, na = "null", pretty = 1, auto_unbox = TRUE), "tests/reference/notebook05.json")
print(t(sapply(out$measures, function(x) round(unlist(x)[c("chisq", "df", "cfi", "rmsea", "srmr", "bic")], 3))))
