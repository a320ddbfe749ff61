# Data sets of ordered answers, made with fixed seeds, that the ordinal_*.R scripts fit. lavaan 0.6-14, R 4.2.
suppressMessages({library(lavaan); library(jsonlite)})
cut_at <- function(z, at) findInterval(z, at) + 1L
make <- function(seed, n, loadings, cuts, shift = 0) {
  set.seed(seed)
  f <- rnorm(n)
  g <- 0.5 * f + sqrt(0.75) * rnorm(n) + shift
  h <- length(loadings) / 2
  factor <- rep(c(1, 2), each = h)
  z <- sapply(seq_along(loadings), function(i) loadings[i] * (if (factor[i] == 1) f else g) + sqrt(1 - loadings[i]^2) * rnorm(n))
  x <- as.data.frame(sapply(seq_along(loadings), function(i) if (is.null(cuts[[i]])) z[, i] else cut_at(z[, i], cuts[[i]])))
  names(x) <- paste0(rep(c("x", "y"), each = h), 1:h)
  x
}
l8 <- c(.8, .7, .6, .75, .65, .8, .7, .6)
l6 <- c(.8, .7, .6, .75, .65, .8)
sets <- list(
  binary = make(1, 500, l8, lapply(c(-.5, 0, .4, .8, -.2, .3, .6, 1), identity)),
  three = make(2, 400, l6, rep(list(c(-.4, .7)), 6)),
  four = make(3, 350, l6, rep(list(c(-1, 0, 1)), 6)),
  five = make(4, 800, l8, rep(list(c(-1.6, -1, -.3, .6)), 8)),
  seven = make(5, 600, l6, rep(list(c(-1.5, -1, -.5, 0, .5, 1)), 6)),
  sparse = make(6, 150, l6, rep(list(c(.6, 1.2, 1.8)), 6)),
  mixed = make(7, 450, l6, list(0.3, c(-.4, .5), NULL, c(-1, -.3, .3, 1), NULL, c(-.7, 0, .7)))
)
sets$two_groups <- rbind(cbind(make(8, 400, l6, rep(list(c(-.8, 0, .8)), 6)), group = "a"),
                         cbind(make(9, 500, l6, rep(list(c(-.8, 0, .8)), 6), shift = .4), group = "b"))
sets$three_groups <- rbind(cbind(make(10, 300, l8, rep(list(c(-1.2, -.4, .4, 1.2)), 8)), group = "a"),
                           cbind(make(11, 350, l8, rep(list(c(-1.2, -.4, .5, 1.2)), 8), shift = .3), group = "b"),
                           cbind(make(12, 400, l8, rep(list(c(-1.2, -.4, .4, 1.2)), 8), shift = -.3), group = "c"))
set.seed(13)
sets$covariates <- local({
  n <- 500; age <- rnorm(n, 4, 1.5); sex <- rbinom(n, 1, .5)
  f <- .3 * (age - 4) - .4 * sex + rnorm(n); g <- .5 * f + .2 * sex + rnorm(n)
  item <- function(s, at) cut_at(.8 * s + rnorm(n), at)
  data.frame(x1 = item(f, c(-1, 0, 1)), x2 = item(f, c(-1, .2, 1)), x3 = item(f, 0), y1 = item(g, c(-1, 0, 1)),
             y2 = .7 * g + rnorm(n), y3 = item(g, c(-1, .5, 1.5)), age = age, sex = sex)
})
sets$gaps <- local({ d <- sets$five; set.seed(14); for (v in names(d)) d[runif(nrow(d)) < .06, v] <- NA; d })
set_data <- function(name) read.csv(file.path("data", paste0("ordinal_", name, ".csv")))
write_sets <- function() for (s in names(sets)) {
  d <- sets[[s]]
  num <- vapply(d, is.numeric, TRUE)
  d[num] <- lapply(d[num], round, 6)
  write.csv(d, file.path("data", paste0("ordinal_", s, ".csv")), row.names = FALSE)
}
