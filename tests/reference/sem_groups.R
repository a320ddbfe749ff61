# Several groups: the ladder of measurement invariance under ML, MLR and FIML, partial invariance, equal structure.
# Run from tests/reference/:  Rscript sem_groups.R      (lavaan 0.6-14, see sem_common.R)
source("sem_common.R")
ladder <- list(configural = character(), metric = "loadings", scalar = c("loadings", "intercepts"),
               strict = c("loadings", "intercepts", "residuals"))
climb <- function(model, set, group, options = list(), prefix) {
  out <- lapply(names(ladder), function(step)
    reference(model, set, c(list(group = group), options,
              if (length(ladder[[step]])) list(group_equal = I(ladder[[step]]))),
              want = if (step == "scalar") c("mi", "score", "scores") else character()))
  setNames(out, paste0(prefix, "_", names(ladder)))
}
hs3 <- "
  visual  =~ x1 + x2 + x3
  textual =~ x4 + x5 + x6
  speed   =~ x7 + x8 + x9"
skew <- "
  f =~ f1 + f2 + f3
  g =~ g1 + g2 + g3
  h =~ h1 + h2 + h3"
three <- "
  A =~ a1 + a2 + a3 + a4
  B =~ b1 + b2 + b3
  C =~ c1 + c2 + c3"
paths <- paste0(three, "\n  C ~ A + B")
facets <- "
  er =~ er1 + er2 + er3 + er4 + er5 + er6
  ev =~ ev1 + ev2 + ev3 + ev4
  le =~ le1 + le2 + le3 + le4
  su =~ su1 + su2 + su3 + su4"
by <- list(group = "operator")
equal <- function(...) c(by, list(group_equal = I(c(...))))

cases <- c(
  climb(hs3, "hs", "school", prefix = "hs"),
  climb(skew, "skew", "group", list(estimator = "MLR"), prefix = "skew_mlr"),
  climb(skew, "skew_gaps", "group", list(missing = "fiml"), prefix = "skew_fiml"),
  climb(three, "operators", "operator", prefix = "operators"),
  climb(facets, "costs", "contract", list(estimator = "MLR"), prefix = "costs_mlr"),
  list(
    skew_fiml_mlr_metric = reference(skew, "skew_gaps", list(group = "group", missing = "fiml", estimator = "MLR",
                                                             group_equal = I("loadings"))),
    operators_partial = reference(three, "operators", c(equal("loadings", "intercepts"),
      list(group_partial = I(c("B=~b2", "c3~1")))), want = "score"),
    operators_regressions = reference(paths, "operators", equal("loadings", "regressions")),
    operators_variances = reference(three, "operators", equal("loadings", "lv.variances", "lv.covariances")),
    operators_means = reference(three, "operators", equal("loadings", "intercepts", "means")),
    operators_std_lv = reference(three, "operators", c(equal("loadings"), list(std_lv = TRUE))),
    operators_std_lv_scalar = reference(three, "operators", c(equal("loadings", "intercepts"), list(std_lv = TRUE))),
    operators_modifiers = reference(paste0(three, "
      C ~ c(p, p, q)*A + c(r1, r2, r3)*B
      A ~~ c(1, NA, NA)*A
      gap := p - q
      slope := r1 - r2"), "operators", by),
    operators_constraint = reference(paste0(three, "
      C ~ c(p1, p2, p3)*A + B
      p1 == p2
      p3 == 2*p1"), "operators", by),
    hs_fixed_in_one_group = reference("
      visual  =~ x1 + c(0.6, NA)*x2 + x3
      textual =~ x4 + x5 + x6
      textual ~ visual", "hs", list(group = "school"))
  )
)
steps <- names(ladder)
pairs <- list()
for (prefix in c("hs", "skew_mlr", "skew_fiml", "operators", "costs_mlr")) for (i in 2:4) {
  a <- paste0(prefix, "_", steps[i - 1]); b <- paste0(prefix, "_", steps[i])
  pairs[[length(pairs) + 1]] <- c(list(a = a, b = b), compare_pair(cases[[b]], cases[[a]]))
}
write_cases(cases, "sem_groups", pairs)
