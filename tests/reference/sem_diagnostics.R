# Standardised residuals (lavResiduals) of fits with fixed predictors, gaps, robust errors and groups; score tests of
# equalities inside a group and of `==` (lavTestScore); factor scores of fits with means. Writes sem_diagnostics.json.
# Printed with R 4.2.2, lavaan 0.6-14, jsonlite 1.8.4: Rscript sem_diagnostics.R
source("sem_common.R")

mixed <- "sat =~ s1 + s2 + s3\n tru =~ t1 + t2 + t3\n loy =~ l1 + l2 + l3 + l4\n tru ~ sat + age\n loy ~ sat + tru + age + gender"
three <- "f =~ f1 + f2 + f3\n g =~ g1 + g2 + g3\n h =~ h1 + h2 + h3"
hs3 <- "visual =~ x1 + x2 + x3\n textual =~ x4 + x5 + x6\n speed =~ x7 + x8 + x9"
fiml <- list(missing = "fiml")

z_of <- function(model, set, options = list()) {
  r <- lavResiduals(lav_fit(model, read_set(set), options))
  if (!is.null(r$cov.z)) r <- list(all = r)
  groups <- lapply(r, function(g) if (is.list(g) && !is.null(g$cov.z))
    list(names = rownames(g$cov.z), cov = unclass(g$cov.z), mean = unclass(g$mean.z)))
  list(model = model, set = set, options = options, z = unname(Filter(Negate(is.null), groups)))
}
score_of <- function(model, set, options = list()) {
  s <- lavTestScore(lav_fit(model, read_set(set), options), epc = FALSE)
  list(model = model, set = set, options = options, chisq = s$test$X2, df = s$test$df, each = s$uni$X2,
       left = s$uni$lhs, right = s$uni$rhs)
}

residuals <- list(
  fixed_x = z_of(mixed, "mcar"),
  random_x = z_of(mixed, "mcar", list(fixed_x = FALSE)),
  fixed_x_mlr = z_of(mixed, "mcar", list(estimator = "MLR")),
  skew_mlr = z_of(three, "skew", list(estimator = "MLR")),
  mcar_fiml = z_of(three, "skew_gaps", fiml),
  fiml_mlr = z_of(three, "skew_gaps", c(fiml, estimator = "MLR")),
  groups_configural = z_of(hs3, "hs", list(group = "school")),
  groups_scalar = z_of(hs3, "hs", list(group = "school", group_equal = c("loadings", "intercepts"))))
scores <- list(
  within = score_of("visual =~ x1 + a*x2 + a*x3 + a*x4", "hs"),
  two_pairs = score_of("visual =~ x1 + a*x2 + a*x3\n textual =~ x4 + b*x5 + b*x6", "hs"),
  equation = score_of("visual =~ x1 + a*x2 + b*x3 + c*x4\n a == b\n b == c", "hs"),
  linear = score_of("visual =~ x1 + a*x2 + b*x3\n textual =~ x4 + c*x5 + x6\n a + b == 1.2\n c == 1", "hs"),
  groups = score_of("visual =~ x1 + c(a1, a1)*x2 + c(b1, b2)*x3 + x4\n b1 == b2", "hs", list(group = "school")))
write_json(list(residuals = residuals, scores = scores), "sem_diagnostics.json", digits = 12, auto_unbox = TRUE, na = "null")
