# Ladder of a second-order model of ordered items, two groups: thresholds, then facets and dimensions in turn
# (Wu & Estabrook 2016 for the items; Chen, Sousa & West 2005 for the order). lavaan 0.6-14, R 4.2.
# Run in tests/reference; writes data/ordinal_facets.csv and ordinal_second_order.json.
suppressMessages({library(lavaan); library(jsonlite)})
set.seed(2016)
one <- function(n, mean, loading) {
  h <- rnorm(n, mean)
  facets <- sapply(c(.8, .7, .6), function(b) b * h + sqrt(1 - b^2) * rnorm(n))
  z <- sapply(1:9, function(i) { l <- loading[(i - 1) %% 3 + 1]; l * facets[, ceiling(i / 3)] + sqrt(1 - l^2) * rnorm(n) })
  x <- as.data.frame(sapply(1:9, function(i) findInterval(z[, i], c(-1, -.1, .9)) + 1L))
  names(x) <- paste0(rep(c("a", "b", "c"), each = 3), 1:3)
  x
}
data <- rbind(cbind(one(450, 0, c(.8, .7, .75)), group = "north"), cbind(one(400, .3, c(.8, .65, .75)), group = "south"))
write.csv(data, "data/ordinal_facets.csv", row.names = FALSE)
model <- "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nh =~ A + B + C"
items <- setdiff(names(data), "group")
# lavaan takes equal thresholds for equal intercepts too, so the equalities are written as labels.
free <- c(
  paste0(items, " ~ c(0, NA)*1"), paste0(items, " ~~ c(1, NA)*", items),
  unlist(lapply(items, function(v) paste0(v, " | ", sapply(1:3, function(k) paste0("c(", v, "_", k, ", ", v, "_", k, ")*t", k)))))
)
cut <- paste(c(model, free), collapse = "\n")
higher <- c("h =~ A", "h =~ B", "h =~ C")
facets_zero <- paste(model, "h ~ c(0, 0)*1", sep = "\n")
tops <- paste(model, "A ~ c(0, 0)*1", "B ~ c(0, 0)*1", "C ~ c(0, 0)*1", sep = "\n")
equal <- c("thresholds", "loadings", "intercepts")
run <- function(m, equal, partial = "") suppressWarnings(
  cfa(m, data, ordered = TRUE, group = "group", group.equal = equal, group.partial = partial, parameterization = "theta")
)
fits <- list(
  configural = run(model, "none"),
  thresholds = run(cut, "none"),
  metric = run(cut, "loadings", higher),
  `metric of dimensions` = run(cut, "loadings"),
  scalar = run(facets_zero, equal),
  `scalar of dimensions` = run(tops, equal),
  strict = run(tops, c(equal, "residuals")),
  `strict of dimensions` = run(tops, c(equal, "residuals", "lv.variances"), "h ~~ h")
)
names_of <- c("chisq", "df", "chisq.scaled", "pvalue.scaled", "cfi.scaled", "rmsea.scaled", "srmr")
rows <- lapply(fits, function(f) as.list(fitMeasures(f)[names_of]))
steps <- lapply(seq_along(fits)[-1], function(k) {
  x <- as.data.frame(lavTestLRT(fits[[k - 1]], fits[[k]]))
  list(level = names(fits)[k], chisq = x[2, "Chisq diff"], df = x[2, "Df diff"], pvalue = x[2, "Pr(>Chisq)"])
})
last <- parameterEstimates(fits[["scalar of dimensions"]])
south <- last[last$group == 2 & last$op %in% c("=~", "~1") & last$lhs %in% c("h", "A"), c("lhs", "op", "rhs", "est", "se")]
out <- list(set = "facets", model = model, rows = rows, steps = steps, south = south)
write(toJSON(out, digits = 12, auto_unbox = TRUE, na = "null"), "ordinal_second_order.json")
