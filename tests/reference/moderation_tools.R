# Reference numbers for the further tools of switchcost.moderate: inverted U, bins, equivalence, groups.
# Run from tests/reference/ after moderation.R:  Rscript moderation_tools.R
# Writes data/moderation_bent.csv, data/moderation_skewed.csv (seed 20261126) and moderation_tools.json. R 4.2.2.
library(jsonlite)
set.seed(20261126)
n <- 400
m <- round(runif(n, 1, 7), 2); x <- round(rnorm(n, 4, 1), 2)
g <- sample(c("east", "north", "west"), n, TRUE, c(.5, .3, .2))
y <- .2 * m + (.7 - .08 * (m - 4)^2 + c(east = 0, north = .2, west = -.3)[g]) * (x - 4) + rnorm(n)
write.csv(data.frame(y = round(y, 4), x, m, g), "data/moderation_bent.csv", row.names = FALSE, quote = FALSE)
n <- 250
m <- round(rexp(n), 3); x <- round(.5 * m + rnorm(n), 3); g <- sample(c("no", "yes"), n, TRUE)
y <- .4 * x + .1 * m - .1 * x * m + .3 * (g == "yes") + rnorm(n) * (.6 + .3 * m)
write.csv(data.frame(y = round(y, 4), x, m, g), "data/moderation_skewed.csv", row.names = FALSE, quote = FALSE)

hc3 <- function(f) { X <- model.matrix(f); e <- resid(f); h <- hatvalues(f); B <- solve(crossprod(X))
  B %*% crossprod(X * (e / (1 - h))) %*% B }
one <- function(d, type) {
  vc <- if (type == "HC3") hc3 else vcov
  d$xc <- d$x - mean(d$x); d$mc <- d$m - mean(d$m)
  # inverted U
  f <- lm(y ~ xc + mc + I(mc^2) + xc:mc + xc:I(mc^2), d); V <- vc(f); b <- coef(f); df <- f$df.residual
  change <- function(at) { w <- c(0, 0, 0, 0, 1, 2 * (at - mean(d$m))); c(sum(w * b), sqrt(c(w %*% V %*% w))) }
  ends <- t(sapply(range(d$m), change)); t_ends <- ends[, 1] / ends[, 2]
  sign <- if (b[6] < 0) -1 else 1
  p <- pt(c(sign, -sign) * t_ends, df)
  turn <- unname(mean(d$m) - b[5] / (2 * b[6]))
  crit <- qt(.975, df)                                    # Fieller, by search instead of a formula
  gap <- function(at) { v <- change(at); v[1]^2 - crit^2 * v[2]^2 }
  reach <- 4 * diff(range(d$m))
  fieller <- if (abs(b[6]) > crit * sqrt(V[6, 6])) c(uniroot(gap, c(turn - reach, turn), tol = 1e-11)$root,
    uniroot(gap, c(turn, turn + reach), tol = 1e-11)$root) else c(-Inf, Inf)
  at_turn <- unname(b[2] + b[5] * (turn - mean(d$m)) + b[6] * (turn - mean(d$m))^2)
  u <- list(est = unname(b), se = unname(sqrt(diag(V))), ends_est = ends[, 1], ends_se = ends[, 2], p = unname(p),
            turn = turn, at_turn = at_turn, fieller = if (all(is.finite(fieller))) fieller else NULL)
  # three bins
  cuts <- quantile(d$m, 0:3 / 3, names = FALSE)
  d$bin <- factor(findInterval(d$m, cuts[2:3], left.open = TRUE))
  med <- tapply(d$m, d$bin, median); d$away <- d$m - med[d$bin]
  fb <- lm(y ~ 0 + bin + bin:x + bin:away + bin:x:away, d); Vb <- vc(fb)
  keep <- grep("^bin[0-9]:x$", names(coef(fb)))
  fl <- lm(y ~ x * m + bin * x * m, d); Vl <- vc(fl); extra <- grep("bin", names(coef(fl)))
  W <- c(coef(fl)[extra] %*% solve(Vl[extra, extra], coef(fl)[extra])) / length(extra)
  f1 <- lm(y ~ xc * mc, d); V1 <- vc(f1); b1 <- coef(f1); d1 <- f1$df.residual
  bins <- list(est = unname(coef(fb)[keep]), se = unname(sqrt(diag(Vb)[keep])), median = as.numeric(med),
               n = as.numeric(table(d$bin)), f = W, p = pf(W, length(extra), fl$df.residual, lower.tail = FALSE),
               linear = unname(b1[2] + b1[4] * (med - mean(d$m))))
  # two one-sided tests
  s <- sqrt(V1[4, 4]); margin <- .1; r <- b1[4] / s / sqrt((b1[4] / s)^2 + d1); z <- atanh(r); sz <- 1 / sqrt(d1 - 1)
  tost <- list(p = unname(c(pt((b1[4] + margin) / s, d1, lower.tail = FALSE), pt((b1[4] - margin) / s, d1))),
               ci = unname(b1[4] + c(-1, 1) * qt(.95, d1) * s), r = unname(r),
               p_r = unname(c(pnorm((z + atanh(margin)) / sz, lower.tail = FALSE), pnorm((z - atanh(margin)) / sz))),
               ci_r = unname(tanh(z + c(-1, 1) * qnorm(.95) * sz)))
  out <- list(inverted_u = u, bins = bins, tost = tost)
  # groups as moderator: the slope in each group by moving the reference
  if (!is.null(d$g)) {
    rows <- t(sapply(sort(unique(d$g)), function(ref) { d$k <- relevel(factor(d$g), ref); fg <- lm(y ~ xc * k, d)
      c(coef(fg)["xc"], sqrt(vc(fg)["xc", "xc"])) }))
    fg <- lm(y ~ xc * relevel(factor(g), names(which.max(table(g)))), d); Vg <- vc(fg)
    pick <- grep("xc:", names(coef(fg)))
    pairs <- combn(sort(unique(d$g)), 2); p <- apply(pairs, 2, function(ab) { d$k <- relevel(factor(d$g), ab[1])
      fk <- lm(y ~ xc * k, d); i <- grep(paste0("xc:k", ab[2]), names(coef(fk)))
      2 * pt(-abs(coef(fk)[i] / sqrt(vc(fk)[i, i])), fk$df.residual) })
    Wg <- c(coef(fg)[pick] %*% solve(Vg[pick, pick], coef(fg)[pick])) / length(pick)
    out$groups <- list(names = rownames(rows), est = rows[, 1], se = rows[, 2], first = pairs[1, ], second = pairs[2, ],
                       p = p, holm = p.adjust(p, "holm"), f = Wg, p_f = pf(Wg, length(pick), fg$df.residual, lower.tail = FALSE))
  }
  out
}
sets <- list(moderation = na.omit(read.csv("data/moderation.csv")[c("y", "x", "m")]),
             moderation_bent = read.csv("data/moderation_bent.csv"), moderation_skewed = read.csv("data/moderation_skewed.csv"))
writeLines(toJSON(lapply(sets, function(d) list(nonrobust = one(d, "nonrobust"), HC3 = one(d, "HC3"))), digits = NA,
                  auto_unbox = TRUE, null = "null", pretty = TRUE), "moderation_tools.json")
