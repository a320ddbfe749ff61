# Reference numbers for switchcost.moderate: lm, vcov, and the HC3 and cluster sandwiches written out in base R.
# Run from tests/reference/:  Rscript moderation.R
# Writes data/moderation.csv (seed 20261121) and moderation.json. Printed with R 4.2.2, jsonlite 1.8.4.
library(jsonlite)
set.seed(20261121)
n <- 180
clu <- rep(1:30, each = 6)
x <- round(pmin(pmax(rnorm(n, 4.8, 1.3), 1), 7) * 3) / 3
m <- round(3 + .4 * (x - 4.8) / 1.3 + rnorm(n, 0, .8), 2)
w <- round(rnorm(n, 2.5, .7), 2)
age <- round(rnorm(n, 41, 12))
contract <- ifelse(runif(n) < .4, "prepaid", "contract")
y <- 1 + .55 * x + .25 * m - .22 * (x - 4.8) * (m - 3) + .1 * (x - 4.8) * (m - 3) * (w - 2.5) + .01 * age +
  rnorm(30, 0, .4)[clu] + rnorm(n) * (.5 + .12 * x)
d <- data.frame(y = round(y, 4), x = round(x, 4), m, w, age, contract, clu)
d$y[7] <- NA; d$m[20] <- NA; d$age[33] <- NA
write.csv(d, "data/moderation.csv", row.names = FALSE, na = "", quote = FALSE)
d <- read.csv("data/moderation.csv")

hc3 <- function(fit) {
  X <- model.matrix(fit); e <- resid(fit); h <- hatvalues(fit); B <- solve(crossprod(X))
  B %*% crossprod(X * (e / (1 - h))) %*% B
}
cl <- function(fit, g) {
  X <- model.matrix(fit); e <- resid(fit); B <- solve(crossprod(X)); S <- rowsum(X * e, g)
  G <- nrow(S); N <- nrow(X); K <- ncol(X)
  G / (G - 1) * (N - 1) / (N - K) * B %*% crossprod(S) %*% B
}
tab <- function(fit, V, df) {
  b <- coef(fit); se <- sqrt(diag(V)); q <- qt(.975, df)
  list(est = unname(b), se = unname(se), t = unname(b / se), pvalue = unname(2 * pt(-abs(b / se), df)),
       ci_lower = unname(b - q * se), ci_upper = unname(b + q * se), names = names(b))
}
# slope of xc at given distances from the centre of the moderator, from the rows of xc and xc:mc
slopes <- function(fit, V, dm, df, px = "xc", pp = "xc:mc") {
  b <- coef(fit); s <- b[px] + b[pp] * dm
  v <- V[px, px] + 2 * dm * V[px, pp] + dm^2 * V[pp, pp]
  list(est = unname(s), se = unname(sqrt(v)), pvalue = unname(2 * pt(-abs(s / sqrt(v)), df)))
}
jn <- function(fit, V, t, centre, px = "xc", pp = "xc:mc") {
  b <- coef(fit)
  co <- c(b[px]^2 - t^2 * V[px, px], 2 * (b[px] * b[pp] - t^2 * V[px, pp]), b[pp]^2 - t^2 * V[pp, pp])
  r <- polyroot(co)
  if (max(abs(Im(r))) > 1e-8) numeric(0) else sort(Re(r)) + centre
}

# --- two-way with covariates --------------------------------------------------------------------------------------
k <- d[complete.cases(d[, c("y", "x", "m", "age", "contract")]), ]
k$xc <- k$x - mean(k$x); k$mc <- k$m - mean(k$m)
k$prepaid <- as.numeric(k$contract == "prepaid")
f1 <- lm(y ~ age + prepaid, k); f2 <- lm(y ~ age + prepaid + xc + mc, k); f3 <- lm(y ~ age + prepaid + xc * mc, k)
dm <- c(-1, 0, 1) * sd(k$m); df <- f3$df.residual
two <- list(n = nrow(k), r2 = summary(f3)$r.squared, adj_r2 = summary(f3)$adj.r.squared, aic = AIC(f3))
for (type in c("nonrobust", "HC3", "cluster")) {
  V <- switch(type, nonrobust = vcov(f3), HC3 = hc3(f3), cluster = cl(f3, k$clu))
  dfu <- if (type == "cluster") 29 else df
  two[[type]] <- list(coefficients = tab(f3, V, dfu), slopes = slopes(f3, V, dm, dfu),
                      bounds = jn(f3, V, qt(.975, dfu), mean(k$m)))
}
a <- anova(f1, f2, f3)
two$steps <- list(r2 = sapply(list(f1, f2, f3), function(f) summary(f)$r.squared),
                  f_change = c(summary(f1)$fstatistic[[1]], NA, NA), pvalue = c(NA, NA, NA))
for (i in 2:3) {                                    # each step against its own residual, not that of the last model
  b <- anova(list(f1, f2, f3)[[i - 1]], list(f1, f2, f3)[[i]])
  two$steps$f_change[i] <- b$F[2]; two$steps$pvalue[i] <- b$`Pr(>F)`[2]
}
# false-discovery rate over the distinct observed values (Benjamini-Hochberg as p.adjust has it)
u <- sort(unique(k$m)); s <- slopes(f3, vcov(f3), u - mean(k$m), df)
ok <- p.adjust(s$pvalue, "BH") <= .05
crit <- qt(1 - .05 * sum(ok) / length(u) / 2, df)
two$fdr <- list(n_told = sum(ok), critical_t = crit, bounds = jn(f3, vcov(f3), crit, mean(k$m)))
z <- as.data.frame(scale(k[, c("y", "x", "m", "age", "prepaid")]))
two$standardized <- unname(coef(lm(y ~ age + prepaid + x * m, z)))

# --- not centred ----------------------------------------------------------------------------------------------------
raw <- lm(y ~ age + prepaid + x * m, k)
two$raw <- tab(raw, vcov(raw), df)

# --- quadratic ------------------------------------------------------------------------------------------------------
fq <- lm(y ~ xc + mc + I(xc^2) + I(mc^2) + xc:mc, k)
quad <- tab(fq, vcov(fq), fq$df.residual)

# --- three-way ------------------------------------------------------------------------------------------------------
k <- d[complete.cases(d[, c("y", "x", "m", "w")]), ]
k$xc <- k$x - mean(k$x); k$mc <- k$m - mean(k$m); k$wc <- k$w - mean(k$w)
ft <- lm(y ~ xc * mc * wc, k); three <- list(coefficients = tab(ft, vcov(ft), ft$df.residual), n = nrow(k))
# slopes at the corners by moving the origin: an independent road to the same number
corner <- function(sm, sw) {
  k$m0 <- k$mc - sm * sd(k$m); k$w0 <- k$wc - sw * sd(k$w)
  co <- summary(lm(y ~ xc * m0 * w0, k))$coefficients["xc", ]
  c(sm, sw, co)
}
three$corners <- rbind(corner(-1, -1), corner(1, -1), corner(-1, 1), corner(1, 1))
k$w0 <- k$w - 3.2
fw <- lm(y ~ xc * mc * w0, k)
three$bounds_at_3.2 <- jn(fw, vcov(fw), qt(.975, fw$df.residual), mean(k$m))

writeLines(toJSON(list(two = two, quad = quad, three = three), digits = NA, auto_unbox = TRUE, na = "null",
                  pretty = TRUE), "moderation.json")
