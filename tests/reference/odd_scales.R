# Scales of odd shapes (turned items, two items, two answers, sixty rows, more items than is wise) by psych 2.2.9, R 4.2.2.
# Run in tests/reference after public_data.R; writes odd_scales.json.
suppressMessages({library(psych); library(jsonlite)})
five <- read.csv("data/public_five.csv"); able <- read.csv("data/public_able.csv"); hs <- read.csv("data/public_hs_gaps.csv")
cnes <- read.csv("data/public_cnes.csv"); sparse <- read.csv("data/public_sparse.csv"); sat <- read.csv("data/public_sat.csv")
item <- function(x, n) paste0(x, n)
sets <- list(
  one_turned = list("five", item("A", 1:5)), two_turned = list("five", item("C", 1:5)), two = list("five", c("A2", "A3")),
  against = list("five", c("A1", "A2")), sixty_rows = list("five", c(item("N", 1:5), item("C", 1:3)), 60),
  fifteen = list("five", c(item("A", 1:5), item("C", 1:5), item("N", 1:5))), forty_rows = list("five", c(item("A", 1:5), item("C", 1:5)), 40),
  binary = list("able", item("q", 1:8)), three_binary = list("able", item("q", 1:3)), gaps = list("hs_gaps", item("x", 1:9)),
  half_turned = list("cnes", c("MBSA2", "MBSA7", "MBSA8", "MBSA9")), sparse = list("sparse", c(item("N", 1:4), "O1", "O3s", "O4s")),
  units = list("sat", c("ACT", "SATV", "SATQ")), mixed_units = list("sat", c("ACT", "SATV", "age", "education")))
one <- function(s) {
  d <- read.csv(paste0("data/public_", s[[1]], ".csv"))[s[[2]]]
  if (length(s) > 2) d <- d[seq_len(s[[3]]), ]
  x <- na.omit(d); q <- function(e) suppressMessages(suppressWarnings(e))
  a <- q(psych::alpha(x, check.keys = FALSE, warnings = FALSE)); t <- describe(x, type = 2); k <- ncol(x)
  out <- list(set = s[[1]], items = s[[2]], rows = if (length(s) > 2) s[[3]], n = nrow(x), alpha = a$total$raw_alpha, alpha_std = a$total$std.alpha,
    mean_r = a$total$average_r, ci = q(as.numeric(unlist(alpha.ci(a$total$raw_alpha, nrow(x), k)[c("lower.ci", "upper.ci")]))),
    item_total = a$item.stats$r.drop, alpha_if_deleted = if (k > 2) a$alpha.drop$raw_alpha, r2 = unname(smc(x)), mean = t$mean, sd = t$sd, skew = t$skew, kurtosis = t$kurtosis)
  if (k > 2) {
    b <- q(cortest.bartlett(cor(x), nrow(x))); f <- q(fa(x, 1, fm = "ml")); o <- KMO(x)
    out <- c(out, list(kmo = o$MSA, kmo_items = unname(o$MSAi), bartlett = c(b$chisq, b$df), loading = abs(unname(f$loadings[, 1]))))
  }
  if (k > 3) out$map <- q(vss(cor(x), n = k - 2, n.obs = nrow(x), plot = FALSE, fm = "pc"))$map
  out
}
write(toJSON(lapply(sets, one), digits = 10, auto_unbox = TRUE, na = "null", null = "null"), "odd_scales.json")
