# Scales of ordered items: categorical omega, and exploratory factors of polychoric correlations with their fit.
# Run from tests/reference/:  Rscript ordered_scales.R      (R 4.2.2, lavaan 0.6-14, psych 2.2.9)
# Loadings and thresholds of a scale are lavaan's WLSMV; the formula is Green & Yang (2009, Psychometrika 74, eq. 21) as
# semTools 0.5-6 computes it in reliability(): the model's correlations in both lines. It is written out here.
suppressMessages({library(lavaan); library(psych); library(jsonlite)})
skewed <- read.csv("data/ordinal_second_skewed.csv"); mixed <- read.csv("data/ordinal_second_mixed.csv")
skewed$six <- skewed$c1 + (skewed$c2 > 1) + (skewed$c3 > 2)     # 1 to 6: a scale with items of different length
p2 <- function(a, b, r) if (r > 1 - 1e-12) pnorm(min(a, b)) else
  integrate(function(z) dnorm(z) * pnorm((b - r * z) / sqrt(1 - r^2)), -Inf, a, rel.tol = 1e-12, abs.tol = 1e-14)$value
omega_cat <- function(lambda, th) {
  num <- den <- 0
  for (j in seq_along(th)) for (k in seq_along(th)) {
    expected <- sum(pnorm(th[[j]])) * sum(pnorm(th[[k]]))
    cross <- function(r) sum(outer(th[[j]], th[[k]], Vectorize(function(a, b) p2(a, b, r)))) - expected
    num <- num + cross(lambda[j] * lambda[k])
    den <- den + cross(if (j == k) 1 else lambda[j] * lambda[k])
  }
  num / den
}
scale <- function(d, items) {
  fit <- cfa(paste("f =~", paste(items, collapse = " + ")), d, ordered = items, std.lv = TRUE, estimator = "WLSMV")
  e <- parameterEstimates(fit)
  lambda <- e$est[e$op == "=~"]
  th <- lapply(items, function(i) e$est[e$op == "|" & e$lhs == i])
  r <- unclass(lavCor(d[items], ordered = items)); k <- length(items)
  list(items = items, loadings = lambda, omega = omega_cat(lambda, th), ave = mean(lambda^2),
       cr = sum(lambda)^2 / (sum(lambda)^2 + sum(1 - lambda^2)), alpha_ordinal = k / (k - 1) * (1 - k / sum(r)),
       mean_r = mean(r[lower.tri(r)]))
}
factors <- function(d, k) {
  items <- names(d)
  fit <- efa(d, nfactors = k, ordered = items, estimator = "ULSMV", rotation = "none", output = "lavaan")
  r <- unclass(lavCor(d, ordered = items))
  f <- suppressMessages(suppressWarnings(fa(r, k, n.obs = nrow(d), fm = "minres", rotate = "oblimin")))
  m <- fitMeasures(fit)
  list(items = items, k = k, n = nrow(d), communalities = unname(f$communality),
       lavaan_r2 = unname(lavInspect(fit, "r2")), measures = as.list(unclass(m)))
}
out <- list(
  scales = list(skewed = scale(skewed, paste0("c", 1:4)), skewed_s = scale(skewed, paste0("s", 1:4)),
                binary_and_five = scale(mixed, paste0("a", 1:4)), three = scale(mixed, c("b1", "b2", "b3")),
                six = scale(skewed, c("six", "c4", "s1", "s2", "s4"))),
  factors = list(two = factors(skewed[1:8], 2), one = factors(skewed[1:8], 1), mixed = factors(mixed[2:8], 2)))
short <- function(x) if (is.list(x)) lapply(x, short) else if (is.double(x)) signif(as.numeric(x), 12) else x
writeLines(toJSON(short(out), digits = NA, auto_unbox = TRUE, na = "null", pretty = 1), "ordered_scales.json")
str(out$scales); for (f in out$factors) print(unlist(f$measures[grepl("chisq|rmsea|cfi|tli|df", names(f$measures))]))
