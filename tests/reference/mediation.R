# Reference numbers for switchcost.mediate: lm, and boot's percentile intervals. Run from tests/reference/:  Rscript mediation.R
# Writes data/mediation.csv (seed 20261127) and mediation.json. R 4.2.2, boot 1.3.
library(jsonlite); library(boot)
set.seed(20261127)
n <- 260
x <- round(rnorm(n, 4, 1.2), 3); w <- round(rnorm(n, 3, 1), 3); age <- round(rnorm(n, 40, 11))
g <- sample(c("east", "north", "west"), n, TRUE, c(.5, .3, .2))
m1 <- round(.5 * x + .2 * w + .15 * (x - 4) * (w - 3) + rnorm(n), 3); m2 <- round(.3 * x + .01 * age + rnorm(n), 3)
y <- round(.2 * x + .4 * m1 + .2 * m2 + .12 * m1 * (w - 3) + rnorm(n), 3)
d <- data.frame(x, w, g, age, m1, m2, y); d$m1[5] <- NA; d$y[9] <- NA
write.csv(d, "data/mediation.csv", row.names = FALSE, na = "", quote = FALSE)
d <- na.omit(read.csv("data/mediation.csv")); pts <- quantile(d$w, c(.16, .5, .84), names = FALSE)
cf <- function(f, data) coef(lm(f, data))
simple <- function(d) { a <- cf(m1 ~ x + age, d); b <- cf(y ~ x + m1 + age, d)
  c(a[["x"]] * b[["m1"]], b[["x"]], cf(y ~ x + age, d)[["x"]]) }
parallel <- function(d) { a1 <- cf(m1 ~ x, d)[["x"]]; a2 <- cf(m2 ~ x, d)[["x"]]; b <- cf(y ~ x + m1 + m2, d)
  c(a1 * b[["m1"]], a2 * b[["m2"]], a1 * b[["m1"]] + a2 * b[["m2"]], b[["x"]], cf(y ~ x, d)[["x"]]) }
stage_a <- function(d) { a <- cf(m1 ~ x * w, d); b <- cf(y ~ x + m1, d)
  c((a[["x"]] + a[["x:w"]] * pts) * b[["m1"]], a[["x:w"]] * b[["m1"]], b[["x"]]) }
stage_b <- function(d) { a <- cf(m1 ~ x, d)[["x"]]; b <- cf(y ~ x + m1 * w, d)
  c(a * (b[["m1"]] + b[["m1:w"]] * pts), a * b[["m1:w"]], b[["x"]]) }
both <- function(d) { a <- cf(m1 ~ x * w, d); b <- cf(y ~ x + m1 * w, d)
  v <- (a[["x"]] + a[["x:w"]] * pts) * (b[["m1"]] + b[["m1:w"]] * pts); c(v, v[2] - v[1], v[3] - v[1], v[3] - v[2], b[["x"]]) }
groups <- function(d) { a <- sapply(c("east", "north", "west"), function(k) cf(m1 ~ x, d[d$g == k, ])[["x"]]) *
  cf(y ~ x + m1, d)[["m1"]]; unname(c(a, a[2] - a[1], a[3] - a[1], a[3] - a[2])) }
boots <- function(f) { s <- boot(d, function(d, i) f(d[i, ]), 8000)
  list(est = f(d), se = apply(s$t, 2, sd), lower = apply(s$t, 2, quantile, .025), upper = apply(s$t, 2, quantile, .975)) }
out <- list(simple = boots(simple), parallel = boots(parallel), a = boots(stage_a), b = boots(stage_b), both = boots(both),
            groups = list(est = groups(d)), n = nrow(d))
writeLines(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "mediation.json")
