# Equality constraints that are not linear: ML, robust ML, gaps, groups, defined parameters on both sides.
# lavaan's search with such constraints stops at about five digits, and is not polished (see sem_common.R).
# Run from tests/reference/:  Rscript sem_curved.R      (lavaan 0.6-14, see sem_common.R)
source("sem_common.R")
product <- "
  visual  =~ x1 + a*x2 + b*x3
  textual =~ x4 + c*x5 + x6
  speed   =~ x7 + x8 + x9
  a*b == c"
powers <- "
  visual  =~ x1 + a*x2 + b*x3
  textual =~ x4 + c*x5 + x6
  speed   =~ x7 + x8 + d*x9
  a == b^2
  c == exp(d)/2
  k := a*c"
paths <- "
  sat =~ s1 + s2 + s3
  tru =~ t1 + t2 + t3
  loy =~ l1 + l2 + l3 + l4
  tru ~ a*sat
  loy ~ start(0.3)*tru + b*tru + start(0.2)*sat + c*sat
  indirect := a*b
  total := indirect + c
  indirect == 2*c"
ratio <- "
  visual  =~ x1 + c(a1, a2)*x2 + c(b1, b2)*x3
  textual =~ x4 + x5 + x6
  speed   =~ x7 + x8 + x9
  a1/b1 == a2/b2"
skewed <- "
  f =~ f1 + a*f2 + b*f3
  g =~ g1 + c*g2 + d*g3
  sqrt(a^2 + b^2) == c
  b == c*d"
# Tests of releasing one constraint each, others kept.
tests <- function(case) {
  u <- suppressWarnings(lavTestScore(attr(case, "fit")))$uni
  squeeze <- function(x) gsub(" ", "", x)
  case$released <- list(lhs = squeeze(u$lhs), rhs = squeeze(u$rhs), chisq = u$X2, pvalue = u$p.value)
  case
}
write_cases(list(
  product = tests(reference(product, "hs")),
  powers = tests(reference(powers, "hs")),
  paths = tests(reference(paths, "path")),
  product_mlr = reference(product, "hs", list(estimator = "MLR")),
  skewed_mlr = reference(skewed, "skew", list(estimator = "MLR")),
  paths_fiml = reference(paths, "mcar", list(missing = "fiml")),
  ratio_groups = tests(reference(ratio, "hs", list(group = "school")))
), "sem_curved")
