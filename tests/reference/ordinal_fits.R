# Models of ordered items by WLSMV. Run in tests/reference after ordinal_correlations.R; writes ordinal_fits.json.
source("ordinal_common.R")
lav <- c(group_equal = "group.equal", group_partial = "group.partial", std_lv = "std.lv")
columns <- function(x, keep) lapply(as.list(as.data.frame(x)[intersect(keep, names(x))]), unname)
one <- function(name, set, model, options = list(), want = character()) {
  cat(name, "\n")
  args <- options
  names(args) <- ifelse(names(args) %in% names(lav), lav[names(args)], names(args))
  d <- set_data(set)
  fit <- suppressWarnings(do.call("sem", c(list(model = model, data = d), args)))
  std <- suppressWarnings(standardizedSolution(fit))
  est <- parameterEstimates(fit)
  est <- est[!est$op %in% c("==", "<", ">"), ]
  out <- list(name = name, set = set, model = model, options = options, n = lavInspect(fit, "nobs"),
              estimates = columns(est, c("lhs", "op", "rhs", "group", "est", "se")),
              standardized = columns(std, c("lhs", "op", "rhs", "group", "est.std", "se")),
              measures = as.list(unclass(fitMeasures(fit))))
  if ("mi" %in% want) {
    mi <- modindices(fit, sort. = TRUE)
    out$mi <- columns(mi[1:min(20, nrow(mi)), ], c("lhs", "op", "rhs", "group", "mi", "epc"))
  }
  if ("residuals" %in% want) {
    r <- lavResiduals(fit)
    if (lavInspect(fit, "ngroups") == 1) { out$residual <- unclass(r$cov); out$residual_z <- unclass(r$cov.z) }
  }
  if ("scores" %in% want) out$scores <- unclass(lavPredict(fit, method = "EBM"))[1:40, , drop = FALSE]
  out
}
two8 <- "f =~ x1 + x2 + x3 + x4\ng =~ y1 + y2 + y3 + y4\ng ~ f"
two6 <- "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3"
all_of <- list(ordered = TRUE)
with_th <- function(...) c(all_of, list(group = "group", group_equal = c(...)))
covs <- "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\ng ~ b*f + sex\nf ~ a*age + sex\nab := a*b"
out <- list(
  one("binary", "binary", two8, all_of, c("mi", "residuals", "scores")),
  one("binary theta", "binary", two8, c(all_of, list(parameterization = "theta"))),
  one("three", "three", two6, all_of, c("mi", "residuals")),
  one("three std_lv", "three", two6, c(all_of, list(std_lv = TRUE))),
  one("four", "four", two6, all_of, c("mi", "residuals", "scores")),
  one("five", "five", two8, all_of, c("mi", "residuals", "scores")),
  one("five theta", "five", two8, c(all_of, list(parameterization = "theta"))),
  one("five residual covariance", "five", paste0(two8, "\nx1 ~~ x2"), all_of),
  one("five one factor", "five", "f =~ x1 + x2 + x3 + x4 + y1 + y2 + y3 + y4", all_of, c("mi", "residuals")),
  one("five labels", "five", "f =~ x1 + a*x2 + a*x3 + x4\ng =~ y1 + b*y2 + c*y3 + y4\ng ~ d*f\nb == c", all_of),
  one("seven", "seven", two6, all_of, c("mi", "residuals")),
  one("sparse", "sparse", two6, all_of),
  one("gaps listwise", "gaps", two8, all_of),
  one("gaps pairwise", "gaps", two8, c(all_of, list(missing = "pairwise"))),
  one("mixed", "mixed", two6, list(ordered = c("x1", "x2", "y1", "y3")), c("mi", "residuals")),
  one("mixed theta", "mixed", two6, list(ordered = c("x1", "x2", "y1", "y3"), parameterization = "theta")),
  one("observed outcome theta", "five", "f =~ x1 + x2 + x3 + x4\ny1 ~ f\ny2 ~ y1 + f", c(all_of, list(parameterization = "theta"))),
  one("covariates", "covariates", covs, list(ordered = c("x1", "x2", "x3", "y1", "y3")), c("mi")),
  one("covariates theta", "covariates", covs, list(ordered = c("x1", "x2", "x3", "y1", "y3"), parameterization = "theta")),
  one("two groups", "two_groups", two6, c(all_of, list(group = "group"))),
  one("two groups thresholds", "two_groups", two6, with_th("thresholds")),
  one("two groups loadings", "two_groups", two6, with_th("thresholds", "loadings"), c("mi")),
  one("two groups loadings theta", "two_groups", two6, c(with_th("thresholds", "loadings"), list(parameterization = "theta"))),
  one("two groups strict theta", "two_groups", two6, c(with_th("thresholds", "loadings", "residuals"), list(parameterization = "theta"))),
  one("two groups partial", "two_groups", two6, c(with_th("thresholds", "loadings"), list(group_partial = c("f =~ x2", "y3 | t1")))),
  one("three groups", "three_groups", two8, with_th("thresholds", "loadings")),
  one("three groups std_lv", "three_groups", two8, c(with_th("thresholds", "loadings"), list(std_lv = TRUE)))
)
write(toJSON(out, digits = 12, auto_unbox = TRUE, na = "null"), "ordinal_fits.json")
