# Unweighted least squares on polychoric correlations, estimator = "ULSMV". Run in tests/reference after
# ordinal_weights.R (for data/ordinal_shops.csv); writes ordinal_uls.json.
source("ordinal_common.R")
lav <- c(group_equal = "group.equal", std_lv = "std.lv", sampling_weights = "sampling.weights")
columns <- function(x, keep) lapply(as.list(as.data.frame(x)[intersect(keep, names(x))]), unname)
one <- function(name, set, model, options = list(ordered = TRUE)) {
  cat(name, "\n")
  args <- options
  names(args) <- ifelse(names(args) %in% names(lav), lav[names(args)], names(args))
  fit <- suppressWarnings(do.call("sem", c(list(model = model, data = set_data(set), estimator = "ULSMV"), args)))
  std <- suppressWarnings(standardizedSolution(fit))
  est <- parameterEstimates(fit)
  est <- est[!est$op %in% c("==", "<", ">"), ]
  mi <- modindices(fit, sort. = TRUE)
  list(name = name, set = set, model = model, options = c(list(estimator = "ULSMV"), options),
       estimates = columns(est, c("lhs", "op", "rhs", "group", "est", "se")),
       standardized = columns(std, c("lhs", "op", "rhs", "group", "est.std", "se")),
       mi = columns(mi[1:min(10, nrow(mi)), ], c("lhs", "op", "rhs", "group", "mi", "epc")),
       measures = as.list(unclass(fitMeasures(fit))))
}
two8 <- "f =~ x1 + x2 + x3 + x4\ng =~ y1 + y2 + y3 + y4\ng ~ f"
two6 <- "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3"
covs <- "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\ng ~ b*f + sex\nf ~ a*age + sex\nab := a*b"
equal <- list(ordered = TRUE, group = "group", group_equal = c("thresholds", "loadings"))
out <- list(
  one("binary", "binary", two8),
  one("five", "five", two8),
  one("five theta", "five", two8, list(ordered = TRUE, parameterization = "theta")),
  one("sparse", "sparse", two6),
  one("mixed", "mixed", two6, list(ordered = c("x1", "x2", "y1", "y3"))),
  one("covariates", "covariates", covs, list(ordered = c("x1", "x2", "x3", "y1", "y3"))),
  one("two groups equal", "two_groups", two6, equal),
  one("two groups equal theta", "two_groups", two6, c(equal, list(parameterization = "theta"))),
  one("weights", "shops", "f =~ x1 + x2 + x3 + x4\ng =~ y1 + y2 + y3\ng ~ f", list(ordered = TRUE, sampling_weights = "w"))
)
free <- sem(two6, set_data("two_groups"), ordered = TRUE, estimator = "ULSMV", group = "group", group.equal = "thresholds")
held <- sem(two6, set_data("two_groups"), ordered = TRUE, estimator = "ULSMV", group = "group", group.equal = c("thresholds", "loadings"))
t <- lavTestLRT(free, held)
step <- list(chisq = t[["Chisq diff"]][2], df = t[["Df diff"]][2], pvalue = t[["Pr(>Chisq)"]][2])
write(toJSON(list(cases = out, step = step), digits = 12, auto_unbox = TRUE, na = "null"), "ordinal_uls.json")
