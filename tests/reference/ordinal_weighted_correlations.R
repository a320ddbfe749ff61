# Polychoric correlations with sampling weights. Run in tests/reference after ordinal_weights.R (data/ordinal_shops.csv);
# writes ordinal_weighted_correlations.json. lavaan 0.6-14, R 4.2.
source("ordinal_common.R")
d <- read.csv("data/ordinal_shops.csv"); d$y3 <- d$y3 + 0.1 * d$x1 * (seq_len(nrow(d)) %% 7)
items <- c("x1", "x2", "y1", "y3")
one <- function(ordered) {
  fit <- cfa(paste("f =~", paste(items, collapse = " + ")), d, ordered = ordered, sampling.weights = "w", std.lv = TRUE, do.fit = FALSE)
  s <- lavInspect(fit, "sampstat"); g <- lavInspect(fit, "gamma")
  list(ordered = I(ordered), r = cov2cor(unclass(s$cov)), th = as.list(s$th), labels = rownames(g), se = sqrt(diag(g) / nrow(d)))
}
write(toJSON(list(one(items[-4]), one(items[1:2])), digits = 12, auto_unbox = TRUE), "ordinal_weighted_correlations.json")
