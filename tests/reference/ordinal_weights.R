# Ordered items with sampling weights and clusters. Run in tests/reference after ordinal_correlations.R; writes
# ordinal_weights.json and data/ordinal_shops.csv.
# lavaan 0.6-14 has sampling weights. It takes cluster= with ordered items without a word and leaves standard errors and
# test as they are (the last lines print it), so the clustered cases hand it Gamma: its own scores (lavaan:::muthen1984),
# summed by cluster, times C / (C - 1), and the weights of the rows.
source("ordinal_common.R")
lav <- c(group_equal = "group.equal", std_lv = "std.lv", sampling_weights = "sampling.weights")
columns <- function(x, keep) lapply(as.list(as.data.frame(x)[intersect(keep, names(x))]), unname)

# 900 customers of 75 shops that differ in level; the weights undo a sample that took too many of the content.
set.seed(20)
shop <- sample(75, 900, replace = TRUE)
level <- function(sd) rnorm(75, sd = sd)[shop]
f <- level(.5) + rnorm(900); g <- .5 * f + level(.3) + rnorm(900, sd = .8)
item <- function(s, l) cut_at(l * s + level(.2) + rnorm(900, sd = .7), c(-1.2, -.4, .3, 1.1))
shops <- data.frame(x1 = item(f, .8), x2 = item(f, .7), x3 = item(f, .6), x4 = item(f, .7), y1 = item(g, .8), y2 = item(g, .6), y3 = item(g, .7))
shops$w <- round(exp(.4 * rnorm(900)) / plogis(.5 * g), 3)
shops$shop <- shop
shops$region <- ifelse(shop <= 30, "north", "south")
write.csv(shops, "data/ordinal_shops.csv", row.names = FALSE)
# Other sets get weights and clusters by their row.
designed_set <- function(set) {
  if (set == "shops") return(shops)
  d <- set_data(set); r <- seq_len(nrow(d))
  d$w <- 1 + (37 * r) %% 23 / 10
  d$shop <- (17 * r) %% 41
  d
}

clustered_gamma <- function(d, names, ordered, wt = NULL) {
  X <- as.matrix(d[names])
  types <- ifelse(names %in% ordered, "ordered", "numeric")
  levels <- sapply(names, function(v) if (v %in% ordered) length(unique(X[, v])) else 0L)
  m <- lavaan:::muthen1984(Data = unname(X), wt = wt, ov.names = names, ov.types = types, ov.levels = unname(levels))
  rho <- if (is.null(wt)) nrow(X) else sum(wt)
  A <- rbind(cbind(m$A11, matrix(0, nrow(m$A11), ncol(m$A22))), cbind(m$A21, m$A22))
  S <- m$SC; S[is.na(S)] <- 0
  total <- function(S) { B <- m$H %*% solve(A); B %*% crossprod(S) %*% t(B) * rho }
  C <- length(unique(d$shop))
  gamma <- total(rowsum(S, d$shop)) * C / (C - 1)
  plain <- total(S)
  stopifnot(max(abs(abs(plain) - abs(m$WLS.W) * rho)) < 1e-8)
  sign <- rep(1, nrow(A)); sign[which(unlist(m$TH.IDX) == 0)] <- -1     # lavaan turns the sign of means
  list(gamma = gamma * outer(sign, sign), weights = diag(1 / diag(plain)))
}

one <- function(name, set, model, options = list(), cluster = FALSE, ordered = TRUE) {
  cat(name, "\n")
  args <- options
  names(args) <- ifelse(names(args) %in% names(lav), lav[names(args)], names(args))
  d <- designed_set(set)
  args <- c(list(model = model, data = d, ordered = ordered), args)
  if (cluster) {
    v <- lavNames(lavaanify(model, auto = TRUE, model.type = "sem"), "ov")
    by <- if (is.null(options$group)) rep(1, nrow(d)) else d[[options$group]]
    wt <- if (is.null(options$sampling_weights)) NULL else d$w * nrow(d) / sum(d$w)
    o <- if (isTRUE(ordered)) v else ordered
    parts <- lapply(unique(by), function(k) clustered_gamma(d[by == k, ], v, o, wt[by == k]))
    args$NACOV <- lapply(parts, `[[`, "gamma"); args$WLS.V <- lapply(parts, `[[`, "weights")
    args$estimator <- "WLSMV"
  }
  fit <- suppressWarnings(do.call("sem", args))
  std <- suppressWarnings(standardizedSolution(fit))
  est <- parameterEstimates(fit)
  est <- est[!est$op %in% c("==", "<", ">"), ]
  list(name = name, set = set, model = model, options = c(options, if (cluster) list(cluster = "shop"), list(ordered = ordered)),
       estimates = columns(est, c("lhs", "op", "rhs", "group", "est", "se")),
       standardized = columns(std, c("lhs", "op", "rhs", "group", "est.std", "se")),
       measures = as.list(unclass(fitMeasures(fit))))
}
seven <- "f =~ x1 + x2 + x3 + x4\ng =~ y1 + y2 + y3\ng ~ f"
two8 <- "f =~ x1 + x2 + x3 + x4\ng =~ y1 + y2 + y3 + y4\ng ~ f"
two6 <- "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3"
covs <- "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\ng ~ b*f + sex\nf ~ a*age + sex\nab := a*b"
wt <- list(sampling_weights = "w"); by <- list(group = "region")
some <- c("x1", "x2", "y1", "y3")
out <- list(
  one("weights", "shops", seven, wt),
  one("weights theta", "shops", seven, c(wt, list(parameterization = "theta"))),
  one("weights binary", "binary", two8, wt),
  one("weights sparse", "sparse", two6, wt),
  one("weights mixed", "mixed", two6, wt, ordered = some),
  one("weights covariates", "covariates", covs, wt, ordered = c("x1", "x2", "x3", "y1", "y3")),
  one("weights pairwise", "gaps", two8, c(wt, list(missing = "pairwise"))),
  one("weights groups", "shops", "f =~ x1 + x2 + x3 + x4\ng =~ y1 + y2 + y3", c(wt, by)),
  one("weights groups equal", "shops", "f =~ x1 + x2 + x3 + x4\ng =~ y1 + y2 + y3", c(wt, by, list(group_equal = c("thresholds", "loadings")))),
  one("cluster", "shops", seven, cluster = TRUE),
  one("cluster binary", "binary", two8, cluster = TRUE),
  one("cluster mixed", "mixed", two6, cluster = TRUE, ordered = some),
  one("cluster weights", "shops", seven, wt, cluster = TRUE),
  one("cluster weights mixed", "mixed", two6, wt, cluster = TRUE, ordered = some),
  one("cluster weights groups equal", "shops", "f =~ x1 + x2 + x3 + x4\ng =~ y1 + y2 + y3", c(wt, by, list(group_equal = c("thresholds", "loadings"))), cluster = TRUE)
)
write(toJSON(out, digits = 12, auto_unbox = TRUE, na = "null"), "ordinal_weights.json")
a <- cfa(two6, set_data("four"), ordered = TRUE)
b <- cfa(two6, transform(set_data("four"), shop = rep(1:7, 50)), ordered = TRUE, cluster = "shop")
cat("largest change of a standard error by cluster= in lavaan", as.character(packageVersion("lavaan")), ":",
    max(abs(parameterEstimates(a)$se - parameterEstimates(b)$se)), "\n")
