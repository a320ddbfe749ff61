# Confirmatory factor models, single group, maximum likelihood.
# Run from tests/reference/:  Rscript sem_cfa.R      (lavaan 0.6-14, see sem_common.R)
source("sem_common.R")
hs3 <- "
  visual  =~ x1 + x2 + x3
  textual =~ x4 + x5 + x6
  speed   =~ x7 + x8 + x9"
facets <- "
  er =~ er1 + er2 + er3 + er4 + er5 + er6
  ev =~ ev1 + ev2 + ev3 + ev4
  le =~ le1 + le2 + le3 + le4
  su =~ su1 + su2 + su3 + su4
  bl =~ bl1 + bl2 + bl3
  ml =~ ml1 + ml2
  pr =~ pr1 + pr2 + pr3 + pr4
  br =~ br1 + br2 + br3"
second <- paste0(facets, "
  procedural =~ er + ev + le + su
  financial  =~ bl + ml
  relational =~ pr + br")

cases <- list(
  hs_three = reference(hs3, "hs", want = c("mi", "residuals", "scores")),
  hs_three_std_lv = reference(hs3, "hs", list(std_lv = TRUE)),
  hs_three_free_marker = reference("
    visual  =~ NA*x1 + x2 + x3   # the factor's variance is fixed instead
    textual =~ NA*x4 + x5 + 1*x6
    speed   =~ x7 + x8 + x9
    visual ~~ 1*visual", "hs"),
  hs_three_start = reference("
    visual  =~ x1 + start(0.4)*x2 + start(0.9)*x3
    textual =~ x4 + x5 + x6
    speed   =~ x7 + x8 + x9
    visual ~~ start(0.3)*textual", "hs"),
  hs_one = reference("g =~ x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9", "hs", want = "mi"),
  hs_three_means = reference(hs3, "hs", list(meanstructure = TRUE)),
  hs_three_residual_covariances = reference(paste0(hs3, "\n  x1 ~~ x9\n  x7 ~~ x8 + x4"), "hs", want = "mi"),
  hs_orthogonal = reference(paste0(hs3, "\n visual ~~ 0*textual + 0*speed\n textual ~~ 0*speed"), "hs"),
  hs_second_order = reference(paste0(hs3, "\n  g =~ visual + textual + speed"), "hs", want = "scores"),
  hs_bifactor = reference("
    g =~ x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9
    t =~ x4 + x5 + x6
    s =~ x7 + x8 + x9
    g ~~ 0*t + 0*s
    t ~~ 0*s", "hs", list(std_lv = TRUE)),
  hs_tau_equivalent = reference("
    visual  =~ 1*x1 + 1*x2 + 1*x3
    textual =~ a*x4 + a*x5 + a*x6
    speed   =~ x7 + b*x8 + b*x9
    textual ~~ 1*textual
    x4 ~~ e*x4
    x5 ~~ e*x5", "hs"),
  hs_single_indicators = reference("
    visual =~ x1 + x2 + x3
    speed  =~ x7
    text   =~ x4
    x4 ~~ 0.3*x4", "hs"),
  small_one = reference("f =~ a1 + a2 + a3 + a4 + a5", "small", want = c("mi", "residuals", "scores")),
  small_two_correlated = reference("
    f =~ a1 + a2 + a3
    h =~ a4 + a5", "small"),
  rep_three = reference("
    comp =~ comp_1 + comp_2 + comp_3
    like =~ like_1 + like_2 + like_3
    cusl =~ cusl_1 + cusl_2 + cusl_3", "rep", want = c("mi", "residuals")),
  mobi_five = reference("
    image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
    expectation =~ CUEX1 + CUEX2 + CUEX3
    value =~ PERV1 + PERV2
    satisfaction =~ CUSA1 + CUSA2 + CUSA3
    loyalty =~ CUSL1 + CUSL2 + CUSL3", "mobi", want = "mi"),
  costs_eight = reference(facets, "costs", want = c("mi", "residuals")),
  costs_second_order = reference(second, "costs"),
  costs_three = reference("
    procedural =~ er1 + er2 + er3 + er4 + er5 + er6 + ev1 + ev2 + ev3 + ev4 + le1 + le2 + le3 + le4 + su1 + su2 + su3 + su4
    financial  =~ bl1 + bl2 + bl3 + ml1 + ml2
    relational =~ pr1 + pr2 + pr3 + pr4 + br1 + br2 + br3", "costs", want = "mi"),
  costs_bifactor = reference("
    g  =~ er1 + er2 + er3 + ev1 + ev2 + ev3 + le1 + le2 + le3
    s1 =~ er1 + er2 + er3
    s2 =~ ev1 + ev2 + ev3
    s3 =~ le1 + le2 + le3
    g ~~ 0*s1 + 0*s2 + 0*s3
    s1 ~~ 0*s2 + 0*s3
    s2 ~~ 0*s3", "costs", list(std_lv = TRUE)),
  near_heywood = reference("f =~ a + b + c + d", "near_heywood"),
  heywood = reference("f =~ a + b + c + d", "heywood")
)
write_cases(cases, "sem_cfa")
