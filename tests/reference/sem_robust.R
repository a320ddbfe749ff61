# Robust (MLR), missing-data (FIML) and observed-information fits, single group.
# Run from tests/reference/:  Rscript sem_robust.R      (lavaan 0.6-14, see sem_common.R)
source("sem_common.R")
skew <- "
  f =~ f1 + f2 + f3
  g =~ g1 + g2 + g3
  h =~ h1 + h2 + h3"
structural <- "
  f =~ f1 + f2 + f3
  g =~ g1 + g2 + g3
  h =~ h1 + h2 + h3
  g ~ a*f
  h ~ b*g + c*f
  indirect := a*b"
path <- "
  sat =~ s1 + s2 + s3
  tru =~ t1 + t2 + t3
  loy =~ l1 + l2 + l3 + l4
  tru ~ a*sat
  loy ~ b*tru + c*sat
  s1 ~~ t1
  l1 ~~ l2
  indirect := a*b"
covariates <- "
  sat =~ s1 + s2 + s3
  tru =~ t1 + t2 + t3
  loy =~ l1 + l2 + l3 + l4
  tru ~ sat + age
  loy ~ sat + tru + age + gender"
fiml <- list(missing = "fiml")
mlr <- list(estimator = "MLR")
facets <- "
  er =~ er1 + er2 + er3 + er4 + er5 + er6
  ev =~ ev1 + ev2 + ev3 + ev4
  le =~ le1 + le2 + le3 + le4
  su =~ su1 + su2 + su3 + su4
  bl =~ bl1 + bl2 + bl3
  ml =~ ml1 + ml2
  pr =~ pr1 + pr2 + pr3 + pr4
  br =~ br1 + br2 + br3"

cases <- list(
  skew_mlr = reference(skew, "skew", mlr, want = c("mi", "residuals")),
  skew_mlr_structural = reference(structural, "skew", mlr),
  skew_mlr_equal = reference("
    f =~ f1 + k*f2 + k*f3
    g =~ g1 + k*g2 + g3
    h =~ h1 + h2 + h3", "skew", mlr),
  skew_mlr_means = reference(skew, "skew", c(mlr, list(meanstructure = TRUE))),
  costs_mlr = reference(facets, "costs", mlr),
  path_mlr_covariates = reference(covariates, "path", mlr),
  hs_observed = reference("
    visual  =~ x1 + x2 + x3
    textual =~ x4 + x5 + x6
    speed   =~ x7 + x8 + x9", "hs", list(information = "observed")),
  path_observed_information = reference(path, "path", list(information = "observed")),
  mcar_fiml = reference(path, "mcar", fiml, want = c("mi", "scores")),
  mar_fiml = reference(path, "mar", fiml),
  mar_listwise = reference(path, "mar"),
  mar_fiml_expected = reference(path, "mar", c(fiml, list(information = "expected"))),
  mar_fiml_covariates = reference(covariates, "mar", fiml),
  mar_fiml_mlr = reference(path, "mar", c(fiml, mlr)),
  skew_gaps_fiml = reference(skew, "skew_gaps", fiml),
  skew_gaps_fiml_mlr = reference(skew, "skew_gaps", c(fiml, mlr)),
  skew_gaps_fiml_mlr_structural = reference(structural, "skew_gaps", c(fiml, mlr)),
  skew_complete_fiml = reference(skew, "skew", fiml)
)
write_cases(cases, "sem_robust")
