# Structural models, single group, maximum likelihood; labels, constraints, covariates, matrices as input.
# Run from tests/reference/:  Rscript sem_structural.R      (lavaan 0.6-14, see sem_common.R)
source("sem_common.R")
measurement <- "
  sat =~ s1 + s2 + s3
  tru =~ t1 + t2 + t3
  loy =~ l1 + l2 + l3 + l4"
mediation <- paste0(measurement, "
  tru ~ a*sat
  loy ~ b*tru + c*sat
  s1 ~~ t1
  l1 ~~ l2
  indirect := a*b
  total := c + a*b
  share := indirect / total")
democracy <- "
  ind60 =~ x1 + x2 + x3
  dem60 =~ y1 + a*y2 + b*y3 + c*y4
  dem65 =~ y5 + a*y6 + b*y7 + c*y8
  dem60 ~ ind60
  dem65 ~ ind60 + dem60
  y1 ~~ y5
  y2 ~~ y4 + y6
  y3 ~~ y7
  y4 ~~ y8
  y6 ~~ y8"

# A correlation matrix as an article prints it: three decimals, standard deviations beside it.
names <- c("q1", "q2", "v1", "v2", "s1", "s2", "l1", "l2")
r <- diag(8); dimnames(r) <- list(names, names)
r[lower.tri(r)] <- c(.612, .388, .402, .455, .431, .301, .288, .371, .395, .420, .409, .275, .292, .640, .512, .498,
                     .366, .341, .486, .477, .352, .360, .704, .533, .512, .498, .506, .671)
r[upper.tri(r)] <- t(r)[upper.tri(r)]
sds <- c(1.21, 1.08, 1.35, 1.30, 0.98, 1.02, 1.44, 1.51)
covariance <- r * outer(sds, sds)
printed <- "
  quality =~ q1 + q2
  value =~ v1 + v2
  satisfaction =~ s1 + s2
  loyalty =~ l1 + l2
  value ~ quality
  satisfaction ~ quality + value
  loyalty ~ satisfaction + value"
means <- c(3.4, 3.6, 3.1, 3.2, 3.9, 3.8, 4.4, 4.1)
matrix_case <- function(cov, mean = NULL, ...) {
  options <- list(sample_cov = cov, n_obs = 310)
  if (!is.null(mean)) options$sample_mean <- setNames(mean, names)
  out <- reference(printed, options = options, ...)
  out$options$sample_cov <- list(names = names, values = unname(cov))
  out$options$sample_mean <- mean
  out
}

cases <- list(
  path_mediation = reference(mediation, "path", want = c("mi", "residuals", "scores")),
  path_mediation_std_lv = reference(mediation, "path", list(std_lv = TRUE)),
  path_equal_paths = reference(paste0(mediation, "\n  b == c"), "path"),
  path_nonlinear_constraint = reference(paste0(measurement, "
    tru ~ a*sat
    loy ~ b*tru + c*sat
    c == a*b"), "path"),
  path_sum_constraint = reference("
    loy =~ p*l1 + q*l2 + r*l3 + s*l4
    loy ~~ 1*loy
    p + q + r + s == 4", "path"),
  path_covariates = reference(paste0(measurement, "
    tru ~ sat + age + gender
    loy ~ sat + tru + age + gender
    sat ~ age"), "path", want = "mi"),
  path_covariates_means = reference(paste0(measurement, "
    tru ~ sat + age
    loy ~ sat + tru + gender"), "path", list(meanstructure = TRUE)),
  path_intercepts = reference("
    sat =~ s1 + s2 + s3
    s1 ~ 0*1
    sat ~ 1
    s2 ~ m*1
    s3 ~ m*1", "path"),
  path_observed_regression = reference("
    l1 ~ s1 + t1 + age
    t1 ~ s1 + gender
    l1 ~~ l1", "path"),
  path_mimic = reference("
    loy =~ l1 + l2 + l3 + l4
    loy ~ age + gender
    l3 ~ gender", "path"),
  path_single_indicator = reference("
    sat =~ s1 + s2 + s3
    loy =~ l1
    loy ~ sat + age
    l1 ~~ 0.25*l1", "path"),
  democracy = reference("
    ind60 =~ x1 + x2 + x3
    dem60 =~ y1 + y2 + y3 + y4
    dem65 =~ y5 + y6 + y7 + y8
    dem60 ~ ind60
    dem65 ~ ind60 + dem60
    y1 ~~ y5
    y2 ~~ y4 + y6
    y3 ~~ y7
    y4 ~~ y8
    y6 ~~ y8", "political", want = c("mi", "residuals", "scores")),
  democracy_equal_loadings = reference(democracy, "political", want = "score"),
  democracy_equal_by_constraint = reference("
    ind60 =~ x1 + x2 + x3
    dem60 =~ y1 + a*y2 + b*y3 + c*y4
    dem65 =~ y5 + d*y6 + e*y7 + f*y8
    dem60 ~ ind60
    dem65 ~ ind60 + dem60
    a == d
    b == e
    c == f
    gap := a - b", "political"),
  mobi_structural = reference("
    image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
    value =~ PERV1 + PERV2
    satisfaction =~ CUSA1 + CUSA2 + CUSA3
    loyalty =~ CUSL1 + CUSL2 + CUSL3
    value ~ image
    satisfaction ~ image + value
    loyalty ~ image + satisfaction", "mobi"),
  rep_single_item = reference("
    comp =~ comp_1 + comp_2 + comp_3
    like =~ like_1 + like_2 + like_3
    cusl =~ cusl_1 + cusl_2 + cusl_3
    cusa ~ comp + like
    cusl ~ comp + like + cusa", "rep"),
  printed_matrix = matrix_case(covariance, want = c("mi", "residuals")),
  printed_matrix_means = matrix_case(covariance, means)
)
write_cases(cases, "sem_structural")
