# Thresholds, correlations and their asymptotic covariance matrix, as lavaan's first steps compute them.
# Run in tests/reference: Rscript ordinal_correlations.R. Writes data/ordinal_*.csv and ordinal_correlations.json.
source("ordinal_common.R")
write_sets()
tie <- data.frame(a = rep(1:2, c(30, 70)), b = c(rep(1, 25), rep(2, 5), rep(2, 70)), d = rep(1:4, 25))
write.csv(tie, "data/ordinal_tie.csv", row.names = FALSE)
one <- function(name, ordered) {
  d <- set_data(name)[unlist(ordered$all)]
  model <- paste("f =~", paste(names(d), collapse = " + "))
  fit <- suppressWarnings(cfa(model, d, ordered = ordered$ordered, missing = "pairwise", std.lv = TRUE, do.fit = FALSE))
  s <- lavInspect(fit, "sampstat")
  g <- lavInspect(fit, "gamma")
  list(set = name, names = names(d), ordered = I(ordered$ordered), r = cov2cor(unclass(s$cov)), th = as.list(s$th),
       labels = rownames(g), se = sqrt(diag(g) / nrow(d)), acov_block = unclass(g)[1:6, (ncol(g) - 3):ncol(g)] / nrow(d))
}
every <- function(n) list(all = n, ordered = n)
x6 <- c("x1", "x2", "x3", "y1", "y2", "y3"); x8 <- c("x1", "x2", "x3", "x4", "y1", "y2", "y3", "y4")
out <- list(one("binary", every(x8)), one("three", every(x6)), one("four", every(x6)), one("five", every(x8)),
            one("seven", every(x6)), one("sparse", every(x6)), one("gaps", every(x8)), one("tie", every(c("a", "b", "d"))),
            one("mixed", list(all = x6, ordered = c("x1", "x2", "y1", "y3"))))
write(toJSON(out, digits = 14, auto_unbox = TRUE, pretty = FALSE), "ordinal_correlations.json")
