# Ordered answers, by a second person: two data sets chosen and fitted with lavaan before the estimator was seen.
# Run from tests/reference/:  Rscript ordinal_second.R      (R 4.2.2, lavaan 0.6-14, jsonlite 1.8.4)
# Writes data/ordinal_second_skewed.csv, data/ordinal_second_mixed.csv and ordinal_second.json.
suppressMessages({library(lavaan); library(jsonlite)})

# --- the data -----------------------------------------------------------------------------------------------------
# 1. Eight items of four categories, most answers in the lowest one, 350 people, two factors, one causes the other.
set.seed(20140)
n <- 350
cost <- rnorm(n)
stay <- 0.55 * cost + sqrt(1 - 0.55^2) * rnorm(n)
cut4 <- function(y, t) as.integer(cut(y, c(-Inf, t, Inf)))
load1 <- c(.85, .75, .70, .60); load2 <- c(.80, .80, .65, .55)
cuts <- list(c(0.5, 1.2, 1.9), c(0.4, 1.0, 1.7), c(0.7, 1.4, 2.1), c(0.2, 1.1, 1.8),
             c(0.6, 1.1, 1.6), c(-1.8, -1.2, -0.5), c(0.3, 0.9, 2.2), c(0.8, 1.3, 1.9))
skewed <- as.data.frame(c(
  lapply(1:4, function(j) cut4(load1[j] * cost + sqrt(1 - load1[j]^2) * rnorm(n), cuts[[j]])),
  lapply(1:4, function(j) cut4(load2[j] * stay + sqrt(1 - load2[j]^2) * rnorm(n), cuts[[4 + j]]))))
names(skewed) <- c(paste0("c", 1:4), paste0("s", 1:4))
write.csv(skewed, "data/ordinal_second_skewed.csv", row.names = FALSE)

# 2. Three groups of different size; five-category and two-category items, and one continuous item.
set.seed(90210)
sizes <- c(north = 260, east = 190, south = 230)
means <- c(0, 0.4, -0.3); sds <- c(1, 0.8, 1.2)
make <- function(k) {
  m <- sizes[[k]]
  f <- means[k] + sds[k] * rnorm(m)
  g <- 0.4 * (f - means[k]) / sds[k] + sqrt(1 - 0.16) * rnorm(m)
  item <- function(x, l, t) as.integer(cut(l * x + sqrt(1 - l^2) * rnorm(m), c(-Inf, t, Inf)))
  data.frame(region = names(sizes)[k],
    a1 = item(f, .8, c(-1.2, -0.4, 0.3, 1.1)), a2 = item(f, .7, c(-0.8, 0.0, 0.6, 1.4)), a3 = item(f, .6, 0.2),
    a4 = item(f, .75, -0.4),
    b1 = item(g, .8, c(-1.0, -0.3, 0.4, 1.2)), b2 = item(g, .65, 0.1), b3 = item(g, .7, c(-0.5, 0.2, 0.9, 1.5)),
    b4 = round(3 + 1.1 * g + 0.9 * rnorm(m), 3))
}
mixed <- do.call(rbind, lapply(1:3, make))
mixed <- mixed[sample(nrow(mixed)), ]
write.csv(mixed, "data/ordinal_second_mixed.csv", row.names = FALSE)

# --- lavaan -------------------------------------------------------------------------------------------------------
skewed <- read.csv("data/ordinal_second_skewed.csv"); mixed <- read.csv("data/ordinal_second_mixed.csv")
columns <- function(x, keep) lapply(as.list(as.data.frame(x)[intersect(keep, names(x))]), unname)
# largest element of the gradient in the space that equality constraints leave
slope <- function(fit) {
  g <- lavInspect(fit, "gradient")
  if (fit@Model@eq.constraints) g <- t(fit@Model@eq.constraints.K) %*% g
  max(abs(g))
}
one <- function(model, set, options) {
  notes <- character()
  args <- c(list(model = model, data = get(set)), options)
  fit <- withCallingHandlers(do.call("sem", args), warning = function(w) {
    notes <<- c(notes, conditionMessage(w)); invokeRestart("muffleWarning")})
  stopifnot(lavInspect(fit, "converged"))
  est <- parameterEstimates(fit)
  std <- standardizedSolution(fit)
  out <- list(model = model, set = paste0("ordinal_second_", set), options = options, warnings = I(notes),
    n = lavInspect(fit, "nobs"), groups = I(lavInspect(fit, "group.label")), gradient = slope(fit),
    estimates = columns(est[!est$op %in% c("==", "<", ">"), ], c("lhs", "op", "rhs", "group", "label", "est", "se", "z", "pvalue")),
    standardized = columns(std[!std$op %in% c("==", "<", ">"), ], c("lhs", "op", "rhs", "group", "est.std", "se")),
    measures = as.list(unclass(fitMeasures(fit))))
  attr(out, "fit") <- fit
  out
}
pair <- function(a, b, ...) {
  t <- lavTestLRT(attr(a, "fit"), attr(b, "fit"), ...)
  list(method = "satorra.2000", chisq_diff = t[["Chisq diff"]][2], df_diff = t[["Df diff"]][2], pvalue = t[["Pr(>Chisq)"]][2])
}
structural <- "
  cost =~ c1 + c2 + c3 + c4
  stay =~ s1 + s2 + s3 + s4
  stay ~ cost"
tau <- "
  cost =~ c1 + k*c2 + k*c3 + c4
  stay =~ s1 + s2 + s3 + s4
  stay ~ cost"
two <- "
  a =~ a1 + a2 + a3 + a4
  b =~ b1 + b2 + b3 + b4"
path <- paste0(two, "\n  b ~ a")
items4 <- list(ordered = c("c1", "c2", "c3", "c4", "s1", "s2", "s3", "s4"), estimator = "WLSMV")
some <- list(ordered = c("a1", "a2", "a3", "a4", "b1", "b2", "b3"), estimator = "WLSMV")
by <- c(some, list(group = "region"))
equal <- function(...) list(group.equal = c(...))
cases <- list(
  skewed_delta = one(structural, "skewed", items4),
  skewed_theta = one(structural, "skewed", c(items4, list(parameterization = "theta"))),
  skewed_std_lv = one(structural, "skewed", c(items4, list(std.lv = TRUE))),
  skewed_equal_loadings = one(tau, "skewed", items4),
  mixed_pooled = one(two, "mixed", some),
  mixed_configural = one(two, "mixed", by),
  mixed_loadings = one(two, "mixed", c(by, equal("loadings"))),
  mixed_thresholds_loadings = one(two, "mixed", c(by, equal("thresholds", "loadings"))),
  mixed_thresholds_loadings_intercepts = one(two, "mixed", c(by, equal("thresholds", "loadings", "intercepts"))),
  mixed_theta = one(two, "mixed", c(by, equal("thresholds", "loadings", "intercepts"), list(parameterization = "theta"))),
  mixed_path = one(path, "mixed", c(by, equal("thresholds", "loadings", "intercepts"))),
  mixed_path_equal = one(path, "mixed", c(by, equal("thresholds", "loadings", "intercepts", "regressions")))
)
pairs <- list(
  skewed_delta__skewed_equal_loadings = pair(cases$skewed_equal_loadings, cases$skewed_delta),
  mixed_configural__mixed_loadings = pair(cases$mixed_loadings, cases$mixed_configural),
  mixed_loadings__mixed_thresholds_loadings_intercepts = pair(cases$mixed_thresholds_loadings_intercepts, cases$mixed_loadings),
  mixed_path__mixed_path_equal = pair(cases$mixed_path_equal, cases$mixed_path)
)
# thresholds and polychoric correlations, as lavCor gives them
cor_skewed <- lavCor(skewed, ordered = names(skewed))
cor_mixed <- lavCor(mixed[-1], ordered = some$ordered)
th <- function(d, v) { f <- lavCor(d, ordered = v, output = "th"); list(names = names(f), values = as.numeric(f)) }
lavcor <- list(
  skewed = list(names = rownames(cor_skewed), cor = unclass(cor_skewed), thresholds = th(skewed, names(skewed))),
  mixed = list(names = rownames(cor_mixed), cor = unclass(cor_mixed), thresholds = th(mixed[-1], some$ordered)))

short <- function(x) if (is.list(x)) lapply(x, short) else if (is.double(x)) { y <- signif(x, 12); attributes(y) <- attributes(x); y } else x
cases <- lapply(cases, function(x) { attr(x, "fit") <- NULL; x })
body <- list(versions = list(R = as.character(getRversion()), lavaan = as.character(packageVersion("lavaan"))),
             cases = short(cases), pairs = short(pairs), lavcor = short(lapply(lavcor, function(x) { x$cor <- matrix(as.numeric(x$cor), nrow(x$cor)); x })))
text <- toJSON(body, digits = NA, auto_unbox = TRUE, na = "null", null = "null", matrix = "rowmajor")
text <- gsub('("[a-z0-9_]+":\\{"model")', '\n\\1', text)
writeLines(text, "ordinal_second.json")
for (k in names(cases)) cat(k, signif(cases[[k]]$gradient, 2), cases[[k]]$warnings, "\n")
print(sapply(skewed, table)); print(t(sapply(pairs, unlist)))
