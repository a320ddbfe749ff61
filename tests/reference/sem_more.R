# Models of other shapes: growth, loops, effect coding, random covariates, groups with covariates, mixed options.
# Run from tests/reference/:  Rscript sem_more.R      (lavaan 0.6-14, see sem_common.R)
source("sem_common.R")
three <- "
  A =~ a1 + a2 + a3 + a4
  B =~ b1 + b2 + b3
  C =~ c1 + c2 + c3"
path <- "
  sat =~ s1 + s2 + s3
  tru =~ t1 + t2 + t3
  loy =~ l1 + l2 + l3 + l4"
skew <- "
  f =~ f1 + f2 + f3
  g =~ g1 + g2 + g3
  h =~ h1 + h2 + h3"
by <- list(group = "operator")
mlr <- list(estimator = "MLR")
fiml <- list(missing = "fiml")
both <- c(list(group = "group"), fiml, mlr)

cases <- list(
  growth = reference("
    level =~ 1*l1 + 1*l2 + 1*l3 + 1*l4
    slope =~ 0*l1 + 1*l2 + 2*l3 + 3*l4
    l1 ~ 0*1
    l2 ~ 0*1
    l3 ~ 0*1
    l4 ~ 0*1
    level ~ 1
    slope ~ 1
    level ~ age
    slope ~ age + gender", "path"),
  loop = reference(paste0(path, "
    tru ~ sat + loy
    loy ~ tru + age
    tru ~ gender"), "path"),
  effect_coding = reference("
    sat =~ NA*s1 + p*s1 + q*s2 + r*s3
    s1 ~ i*1
    s2 ~ j*1
    s3 ~ k*1
    sat ~ 1
    p + q + r == 3
    i + j + k == 0", "path"),
  random_covariate = reference(paste0(path, "
    loy ~ sat + age
    age ~~ gender
    tru ~ gender
    age ~~ age"), "path"),
  covariate_with_latent = reference(paste0(path, "
    age ~~ sat
    loy ~ sat + tru"), "path"),
  two_outcomes = reference("
    l1 + l2 + l3 ~ s1 + age
    t1 ~ l1 + gender", "path"),
  defined_nonlinear = reference(paste0(path, "
    tru ~ a*sat
    loy ~ b*tru + c*sat
    ratio := a*b / (a*b + c)
    power := a^2 + sqrt(b^2) - exp(c)
    both := ratio * power"), "path"),
  fixed_covariance = reference(paste0(path, "
    sat ~~ 0.5*tru
    sat ~~ 0*loy
    s1 ~~ e*s1
    t1 ~~ e*t1"), "path"),
  second_order_std_lv = reference(paste0(path, "\n top =~ sat + tru + loy"), "path", list(std_lv = TRUE)),
  second_order_predicts = reference("
    A =~ a1 + a2 + a3 + a4
    B =~ b1 + b2 + b3
    top =~ A + B
    C =~ c1 + c2 + c3
    C ~ top", "operators"),
  cross_loadings = reference("
    f =~ f1 + f2 + f3 + g1
    g =~ g1 + g2 + g3 + h3
    h =~ h1 + h2 + h3", "skew", mlr),
  orthogonal_option = reference(path, "path", list(orthogonal = TRUE)),
  covariates_random = reference(paste0(path, "\n loy ~ sat + age + gender"), "path", list(fixed_x = FALSE)),
  means_mlr_covariates = reference(paste0(path, "\n tru ~ age\n loy ~ sat + gender"), "path",
                                   c(mlr, list(meanstructure = TRUE))),
  fiml_covariates_mlr = reference(paste0(path, "\n tru ~ age\n loy ~ sat + tru + gender"), "mcar", c(fiml, mlr)),
  fiml_std_lv = reference(path, "mcar", c(fiml, list(std_lv = TRUE))),
  fiml_second_order = reference(paste0(path, "\n top =~ sat + tru + loy"), "mar", fiml),
  fiml_equal = reference("
    sat =~ s1 + k*s2 + k*s3
    tru =~ t1 + k*t2 + t3
    tru ~ sat", "mar", fiml),
  groups_observed = reference(three, "operators", c(by, list(information = "observed"))),
  groups_covariance_only = reference(three, "operators", c(by, list(meanstructure = FALSE))),
  groups_mlr_structure = reference(paste0(three, "\n C ~ A + B"), "operators",
                                   c(by, mlr, list(group_equal = I(c("loadings", "intercepts", "regressions"))))),
  groups_residual_covariances = reference(paste0(three, "\n a1 ~~ a2"), "operators",
    c(by, list(group_equal = I(c("loadings", "residuals", "residual.covariances"))))),
  groups_second_order = reference(paste0(three, "\n top =~ A + B + C"), "operators",
                                  c(by, list(group_equal = I("loadings")))),
  groups_fiml_mlr_configural = reference(skew, "skew_gaps", both),
  groups_fiml_mlr_metric = reference(skew, "skew_gaps", c(both, list(group_equal = I("loadings")))),
  groups_fiml_mlr_scalar = reference(skew, "skew_gaps", c(both, list(group_equal = I(c("loadings", "intercepts"))))),
  groups_partial_mlr = reference(skew, "skew", c(list(group = "group"), mlr,
    list(group_equal = I(c("loadings", "intercepts")), group_partial = I(c("f=~f2", "g3~1"))))),
  hs_groups_latent_means = reference("
    visual =~ x1 + x2 + x3
    speed =~ x7 + x8 + x9
    visual ~ c(0, NA)*1
    speed ~ c(0, NA)*1
    x1 ~ c(i, i)*1
    x7 ~ c(j, j)*1", "hs", list(group = "school", group_equal = I("loadings")))
)
pairs <- list(
  c(list(a = "groups_fiml_mlr_configural", b = "groups_fiml_mlr_metric"),
    compare_pair(cases$groups_fiml_mlr_metric, cases$groups_fiml_mlr_configural)),
  c(list(a = "groups_fiml_mlr_metric", b = "groups_fiml_mlr_scalar"),
    compare_pair(cases$groups_fiml_mlr_scalar, cases$groups_fiml_mlr_metric)))
write_cases(cases, "sem_more", pairs)
