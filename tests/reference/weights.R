# Customers nested in shops and samples that carry weights: cluster-robust standard errors, sampling weights, both.
# Run from tests/reference/:  Rscript weights.R      (lavaan 0.6-14, see sem_common.R)
# Writes data/sem_shops.csv and data/sem_shops_gaps.csv, and weights.json.
source("sem_common.R")
lav <- c(lav, sampling_weights = "sampling.weights")

# 620 customers of 48 shops in two regions; shops differ in level, weights undo a sample that took too many of the loyal.
set.seed(4711)
shops <- 48; size <- sample(5:22, shops, replace = TRUE); n <- sum(size)
shop <- rep(seq_len(shops), size); region <- ifelse(shop <= 20, "north", "south")
level <- function(sd) rnorm(shops, sd = sd)[shop]
age <- round(18 + 50 * rbeta(n, 2, 3)); contract <- rbinom(n, 1, 0.4)
cost <- level(0.5) + 0.2 * contract + rexp(n) - 1
sat <- level(0.4) + 0.01 * (age - 38) + rnorm(n)
loy <- 0.4 * cost + 0.5 * sat + level(0.3) + rnorm(n, sd = 0.8)
item <- function(f, l) round(4 + l * f + rnorm(n) * ifelse(runif(n) < 0.1, 2, 0.8) + level(0.25), 2)
d <- data.frame(shop = sprintf("s%02d", shop), region, age, contract,
  c1 = item(cost, 1), c2 = item(cost, .8), c3 = item(cost, .7), s1 = item(sat, 1), s2 = item(sat, .9), s3 = item(sat, .7),
  l1 = item(loy, 1), l2 = item(loy, .8), l3 = item(loy, .9))
d$weight <- round(exp(0.5 * rnorm(n)) / plogis(0.5 * loy), 3)
d <- d[sample(n), ]
write.csv(d, "data/sem_shops.csv", row.names = FALSE)
gaps <- d
for (v in c("c2", "s3", "l1", "l3")) gaps[[v]][runif(n) < plogis(-2 + 0.4 * (gaps$s1 - 4))] <- NA
gaps$c1[sample(n, 40)] <- NA
write.csv(gaps, "data/sem_shops_gaps.csv", row.names = FALSE)

three <- "
  cost =~ c1 + c2 + c3
  sat  =~ s1 + s2 + s3
  loy  =~ l1 + l2 + l3"
paths <- paste0(three, "\n  loy ~ a*cost + b*sat\n  gap := b - a")
covariates <- paste0(three, "\n  loy ~ cost + sat\n  sat ~ age + contract")
clus <- list(cluster = "shop"); wt <- list(sampling_weights = "weight"); both <- c(clus, wt)
by <- list(group = "region"); fiml <- list(missing = "fiml")
equal <- list(group_equal = I(c("loadings", "intercepts")))
cases <- list(
  cluster = reference(paths, "shops", clus, want = "scores"),
  weights = reference(paths, "shops", wt, want = "scores"),
  both = reference(paths, "shops", both, want = "mi"),
  both_covariates = reference(covariates, "shops", both),
  weights_free_covariates = reference(covariates, "shops", c(wt, list(fixed_x = FALSE))),
  weights_means = reference(three, "shops", c(wt, list(meanstructure = TRUE))),
  cluster_std_lv = reference(three, "shops", c(clus, list(std_lv = TRUE))),
  cluster_groups = reference(three, "shops", c(clus, by)),
  cluster_groups_equal = reference(three, "shops", c(clus, by, equal)),
  weights_groups = reference(three, "shops", c(wt, by)),
  both_groups = reference(three, "shops", c(both, by)),
  both_groups_equal = reference(three, "shops", c(both, by, equal)),
  cluster_fiml = reference(paths, "shops_gaps", c(clus, fiml)),
  weights_fiml = reference(paths, "shops_gaps", c(wt, fiml)),
  both_fiml = reference(paths, "shops_gaps", c(both, fiml)),
  both_fiml_covariates = reference(covariates, "shops_gaps", c(both, fiml)),
  both_fiml_groups = reference(three, "shops_gaps", c(both, fiml, by)),
  both_fiml_groups_equal = reference(three, "shops_gaps", c(both, fiml, by, equal)),
  both_listwise = reference(paths, "shops_gaps", both)
)
pairs <- lapply(c("cluster_groups", "both_groups", "both_fiml_groups"), function(a) {
  b <- paste0(a, "_equal")
  c(list(a = a, b = b), compare_pair(cases[[b]], cases[[a]]))
})
write_cases(cases, "weights", pairs)
for (k in names(cases)) if (length(cases[[k]]$warnings)) cat(k, ":", cases[[k]]$warnings, "\n")
