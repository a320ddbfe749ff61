# Invariance of ordered items by hand (Wu & Estabrook 2016, theta parameterisation), and nested tests of WLSMV fits.
# Run in tests/reference after ordinal_correlations.R; writes ordinal_invariance.json.
source("ordinal_common.R")
# lavaan takes equal thresholds for equal intercepts too, so the equalities are written as labels.
each <- function(first, others, G) paste0("c(", paste(c(first, rep(others, G - 1)), collapse = ", "), ")")
free <- function(items, G, K) c(
  paste0(items, " ~ ", each("0", "NA", G), "*1"), paste0(items, " ~~ ", each("1", "NA", G), "*", items),
  unlist(lapply(items, function(v) paste0(v, " | ", sapply(1:K, function(k) paste0(each(paste0(v, k), paste0(v, k), G), "*t", k))))))
ladder <- function(set, model, items, latents, K) {
  d <- set_data(set)
  G <- length(unique(d$group))
  cut <- paste(c(model, free(items, G, K)), collapse = "\n")
  run <- function(m, equal) suppressWarnings(cfa(m, d, ordered = TRUE, group = "group", group.equal = equal, parameterization = "theta"))
  fits <- list(configural = run(model, "none"), thresholds = run(cut, "none"),
               metric = run(cut, "loadings"), scalar = run(model, c("thresholds", "loadings", "intercepts")),
               strict = run(model, c("thresholds", "loadings", "intercepts", "residuals")))
  rows <- lapply(fits, function(f) as.list(fitMeasures(f)[c("chisq", "df", "chisq.scaled", "pvalue.scaled", "cfi.scaled", "rmsea.scaled", "srmr")]))
  steps <- lapply(2:5, function(k) {
    if (fitMeasures(fits[[k]], "df") == fitMeasures(fits[[k - 1]], "df")) return(NULL)
    x <- as.data.frame(lavTestLRT(fits[[k - 1]], fits[[k]]))
    list(level = names(fits)[k], chisq = x[2, "Chisq diff"], df = x[2, "Df diff"], pvalue = x[2, "Pr(>Chisq)"])
  })
  list(set = set, model = model, rows = rows, steps = Filter(Negate(is.null), steps))
}
two6 <- "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3"
two8 <- "f =~ x1 + x2 + x3 + x4\ng =~ y1 + y2 + y3 + y4"
nested <- function(set, one, other) {
  d <- set_data(set)
  a <- sem(one, d, ordered = TRUE); b <- sem(other, d, ordered = TRUE)
  x <- as.data.frame(lavTestLRT(a, b))
  list(set = set, one = one, other = other, chisq = x[2, "Chisq diff"], df = x[2, "Df diff"], pvalue = x[2, "Pr(>Chisq)"])
}
out <- list(
  ladders = list(ladder("two_groups", two6, c("x1", "x2", "x3", "y1", "y2", "y3"), c("f", "g"), 3),
                 ladder("three_groups", two8, c("x1", "x2", "x3", "x4", "y1", "y2", "y3", "y4"), c("f", "g"), 4)),
  nested = list(nested("five", two8, "f =~ x1 + x2 + x3 + x4 + y1 + y2 + y3 + y4"),
                nested("binary", two8, "f =~ x1 + a*x2 + a*x3 + a*x4\ng =~ y1 + b*y2 + b*y3 + b*y4"),
                nested("four", two6, "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\nf ~~ 0*g"))
)
write(toJSON(out, digits = 12, auto_unbox = TRUE, na = "null"), "ordinal_invariance.json")
