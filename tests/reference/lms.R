# Reference numbers for LMS, by a second implementation: the mixture of Klein & Moosbrugger (2000) in base R, with
# Gauss-Hermite nodes and numerical derivatives. Nothing of it is taken from semfit.
# Run from tests/reference:  Rscript lms.R
# Printed by R 4.2.2, jsonlite 1.8.4; some two minutes.
library(jsonlite)

d <- as.matrix(read.csv("data/latent_interaction.csv")[, c("x1", "x2", "x3", "m1", "m2", "m3", "y1", "y2", "y3")])
spread <- apply(d, 2, sd)
Y <- scale(d)                                            # the likelihood of d follows by sum(log(spread)) a row
n <- nrow(Y)

# nodes and weights for a standard normal: eigenvalues of the Jacobi matrix (Golub & Welsch 1969)
k <- 100
J <- matrix(0, k, k)
J[cbind(1:(k - 1), 2:k)] <- J[cbind(2:k, 1:(k - 1))] <- sqrt(1:(k - 1))
e <- eigen(J, symmetric = TRUE)
z <- e$values
w <- e$vectors[1, ]^2

# parameters: 9 intercepts, 6 loadings, 9 log error variances, 3 of the covariance of x and m, 3 slopes, log psi
mixture <- function(p) {
  tau <- p[1:9]
  l <- c(1, p[10:11], 1, p[12:13], 1, p[14:15])
  x <- c(l[1:3], rep(0, 6)); m <- c(rep(0, 3), l[4:6], rep(0, 3)); y <- c(rep(0, 6), l[7:9])
  theta <- exp(p[16:24])
  s_m <- exp(p[25]); c_xm <- p[26]; s_e <- exp(p[27])    # m = s_m z;  x = c_xm z + s_e u
  b <- p[28:30]; psi <- exp(p[31])
  dens <- sapply(seq_along(z), function(j) {
    m_j <- s_m * z[j]; x_j <- c_xm * z[j]
    slope <- b[1] + b[3] * m_j                           # of y on x at this value of m
    mean <- tau + x * x_j + m * m_j + y * (slope * x_j + b[2] * m_j)
    u <- (x + y * slope) * s_e
    S <- tcrossprod(u) + psi * tcrossprod(y) + diag(theta)
    R <- chol(S)
    q <- colSums(backsolve(R, t(Y) - mean, transpose = TRUE)^2)
    log(w[j]) - sum(log(diag(R))) - q / 2 - 9 / 2 * log(2 * pi)
  })
  top <- apply(dens, 1, max)
  sum(top + log(rowSums(exp(dens - top))))
}
# a step of the search may go too far
logl <- function(p) tryCatch(mixture(p), error = function(e) -1e10)
start <- c(rep(0, 9), rep(1, 6), rep(log(.4), 9), log(.7), .2, log(.7), .3, .3, 0, log(.4))
gradient <- function(p) {
  h <- 1e-5
  sapply(seq_along(p), function(i) { q <- p; q[i] <- p[i] + h; a <- logl(q); q[i] <- p[i] - h; (a - logl(q)) / (2 * h) })
}
fit <- optim(start, logl, gradient, method = "BFGS", control = list(fnscale = -1, maxit = 1000, reltol = 1e-15))
stopifnot(fit$convergence == 0)
p <- fit$par
H <- sapply(seq_along(p), function(i) { h <- 1e-4; a <- p; b <- p; a[i] <- a[i] + h; b[i] <- b[i] - h
                                        (gradient(a) - gradient(b)) / (2 * h) })
V <- solve(-(H + t(H)) / 2)

# back to the units of the answers: x by its marker x1, and so on
unit <- c(x = spread[["x1"]], m = spread[["m1"]], y = spread[["y1"]])
to <- c("y ~ x" = unit[["y"]] / unit[["x"]], "y ~ m" = unit[["y"]] / unit[["m"]],
        "y ~ x:m" = unit[["y"]] / (unit[["x"]] * unit[["m"]]))
out <- list(
  logl = fit$value - n * sum(log(spread)), npar = length(p), largest_gradient = max(abs(gradient(p))),
  slopes = data.frame(term = names(to), est = p[28:30] * to, se = sqrt(diag(V))[28:30] * to, row.names = NULL),
  psi = exp(p[31]) * unit[["y"]]^2,
  loadings = setNames(as.list(p[10:15] * spread[c(2, 3, 5, 6, 8, 9)] / spread[c(1, 1, 4, 4, 7, 7)]),
                      colnames(d)[c(2, 3, 5, 6, 8, 9)]))
write(toJSON(out, digits = 10, auto_unbox = TRUE, pretty = TRUE), "lms.json")
