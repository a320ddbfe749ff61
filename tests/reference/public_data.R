# Models of many kinds on data sets that come with R, lavaan, psych, psychTools and sem. Run in tests/reference:
# Rscript public_data.R   (R 4.2.2, lavaan 0.6-14, psych 2.2.9). Writes data/public_*.csv and public_data.json.
source("sem_common.R")
data(bfi, package = "psych"); data(sat.act, package = "psych"); data(ability, package = "psychTools")
data(CNES, package = "sem")
gaps <- function(d, at) { for (v in names(at)) d[seq(at[[v]][1], nrow(d), by = at[[v]][2]), v] <- NA; d }
HS <- HolzingerSwineford1939[c("sex", "ageyr", "school", paste0("x", 1:9))]
HS[paste0("x", 1:9)] <- round(HS[paste0("x", 1:9)], 6)
HS$cell <- paste(HS$school, ifelse(HS$ageyr > 12, "old", "young"))
DG <- round(Demo.growth, 4); DG$high <- ifelse(DG$x1 > 0, "b", "a")
five <- bfi[seq(1, nrow(bfi), by = 4), ]
five <- data.frame(five[c(paste0("A", 1:5), paste0("C", 1:5), paste0("N", 1:5))], sex = ifelse(five$gender == 1, "men", "women"))
coarse <- bfi[seq(1, nrow(bfi), by = 3), ]
coarse <- data.frame(coarse[paste0("N", 1:5)], coarse[paste0("O", 1:5)], sex = ifelse(coarse$gender == 1, "men", "women"), age10 = coarse$age / 10)
for (v in paste0("N", 1:5)) coarse[[v]] <- findInterval(coarse[[v]], c(3, 5, 6)) + 1
coarse$O1 <- (coarse$O1 > 4) + 1
sparse <- coarse[1:400, ]
sparse$O3s <- pmax(1, sparse$O3 - 3); sparse$O4s <- pmax(1, sparse$O4 - 3)
able <- as.data.frame(ability)[seq(1, 1525, by = 2), 1:8]; names(able) <- paste0("q", 1:8)
sat <- sat.act; sat$SATV <- sat$SATV / 100; sat$SATQ <- sat$SATQ / 100
sets <- list(
  hs = HS, political = round(PoliticalDemocracy, 6), growth = DG,
  hs_gaps = gaps(HS, list(x1 = c(3, 7), x2 = c(1, 5), x5 = c(2, 6), x6 = c(5, 9), x9 = c(4, 4), ageyr = c(11, 13), x3 = c(6, 11))),
  growth_gaps = gaps(DG, list(t2 = c(2, 6), t3 = c(3, 5), t4 = c(1, 4), c3 = c(9, 10))),
  clusters = round(Demo.twolevel[Demo.twolevel$cluster <= 40, ], 4),
  burns = FacialBurns, sat = sat, five = five, cnes = as.data.frame(lapply(CNES, as.integer)), able = able,
  coarse = coarse, sparse = sparse)
for (s in names(sets)) write.csv(sets[[s]], paste0("data/public_", s, ".csv"), row.names = FALSE, na = "", quote = FALSE)

level <- "i =~ 1*t1 + 1*t2 + 1*t3 + 1*t4\nt1 ~ 0*1\nt2 ~ 0*1\nt3 ~ 0*1\nt4 ~ 0*1\ni ~ 1\n"
line <- paste0(level, "s =~ 0*t1 + 1*t2 + 2*t3 + 3*t4\ns ~ 1\n")
changing <- paste0(line, "i ~ x1 + x2\ns ~ x1 + x2\nt1 ~ c1\nt2 ~ c2\nt3 ~ c3\nt4 ~ c4")
nine <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\n"
two <- "visual =~ x1 + x2 + x3\nspeed =~ x7 + x8 + x9\n"
times <- "d60 =~ y1 + b*y2 + c*y3 + d*y4\nd65 =~ y5 + b*y6 + c*y7 + d*y8\n"
big <- "A =~ A1 + A2 + A3 + A4 + A5\nC =~ C1 + C2 + C3 + C4 + C5\nN =~ N1 + N2 + N3 + N4 + N5\n"
m <- function(model, set, ...) list(model = model, set = set, options = list(...))
models <- list(
  growth_tvc = m(changing, "growth"),
  growth_tvc_equal_fiml_mlr = m(paste0(line, "i ~ x1\ns ~ x1\nt1 ~ b*c1\nt2 ~ b*c2\nt3 ~ b*c3\nt4 ~ b*c4"), "growth_gaps", missing = "fiml", estimator = "MLR"),
  growth_tvc_random_x_fiml = m(changing, "growth_gaps", missing = "fiml", fixed_x = FALSE),
  growth_quadratic = m(paste0(line, "q =~ 0*t1 + 1*t2 + 4*t3 + 9*t4\nq ~ 1\nt1 ~~ r*t1\nt2 ~~ r*t2\nt3 ~~ r*t3\nt4 ~~ r*t4\nq ~~ 0*q\nq ~~ 0*i\nq ~~ 0*s"), "growth"),
  growth_linear = m(paste0(line, "t1 ~~ r*t1\nt2 ~~ r*t2\nt3 ~~ r*t3\nt4 ~~ r*t4"), "growth"),
  growth_basis_groups = m(paste0(level, "s =~ 0*t1 + c(l2, l2)*t2 + c(l3, l3)*t3 + 1*t4\ns ~ c(ms1, ms2)*1\ngap := ms2 - ms1\n"), "growth", group = "high"),
  growth_groups_contrast = m(paste0(level, "s =~ 0*t1 + 1*t2 + 2*t3 + 3*t4\ni ~~ c(v1, v2)*i\ns ~ c(m1, m2)*1\ngap := m2 - m1"), "growth", group = "high"),
  mimic_groups = m(paste0(nine, "visual ~ sex + ageyr\ntextual ~ sex + ageyr\nspeed ~ sex + ageyr"), "hs", group = "school", group_equal = I(c("loadings", "regressions"))),
  mimic_dif = m(paste0(nine, "visual + textual + speed ~ sex + ageyr\nx3 ~ sex\nx7 ~ ageyr"), "hs", estimator = "MLR"),
  mimic_groups_fiml = m(paste0(two, "visual + speed ~ sex + ageyr"), "hs_gaps", group = "school", missing = "fiml", fixed_x = FALSE, group_equal = I(c("loadings", "intercepts"))),
  second_order_residuals = m(paste0(nine, "g =~ visual + textual + speed\nx7 ~~ x8\nx3 ~~ x9"), "hs"),
  second_order_means_groups = m(paste0(nine, "g =~ visual + c(k, k)*textual + c(h, h)*speed\ng ~ c(0, NA)*1\nvisual ~ 0*1\ntextual ~ 0*1\nspeed ~ c(0, NA)*1"), "hs", group = "school", group_equal = I(c("loadings", "intercepts"))),
  bifactor = m(paste0("g =~ A1 + A2 + A3 + A4 + A5 + C1 + C2 + C3 + C4 + C5 + N1 + N2 + N3 + N4 + N5\n", big), "five", std_lv = TRUE, orthogonal = TRUE),
  bifactor_s_minus_one = m("g =~ x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9\nt =~ x4 + x5 + x6\ns =~ x7 + x8 + x9\ng ~~ 0*t + 0*s\nt ~~ 0*s", "hs", missing = "fiml"),
  mtmm_methods = m("d60 =~ y1 + y2 + y3 + y4\nd65 =~ y5 + y6 + y7 + y8\nm1 =~ 1*y1 + 1*y5\nm2 =~ 1*y2 + 1*y6\nm3 =~ 1*y3 + 1*y7\nm4 =~ 1*y4 + 1*y8\nm1 ~~ 0*m2 + 0*m3 + 0*m4 + 0*d60 + 0*d65\nm2 ~~ 0*m3 + 0*m4 + 0*d60 + 0*d65\nm3 ~~ 0*m4 + 0*d60 + 0*d65\nm4 ~~ 0*d60 + 0*d65", "political"),
  mtmm_uniqueness = m(paste0(times, "y1 ~~ y5\ny2 ~~ y6 + y4\ny3 ~~ y7\ny4 ~~ y8\ny6 ~~ y8"), "political", meanstructure = TRUE),
  latent_change = m(paste0(times, "y1 ~~ y5\ny2 ~~ y6\ny3 ~~ y7\ny4 ~~ y8\nd65 ~ 1*d60\nchange =~ 1*d65\nd65 ~~ 0*d65\nd65 ~ 0*1\nd60 ~ 1\nchange ~ 1\ny1 ~ 0*1\ny5 ~ 0*1\ny2 ~ i2*1\ny6 ~ i2*1\ny3 ~ i3*1\ny7 ~ i3*1\ny4 ~ i4*1\ny8 ~ i4*1\nchange ~ p*d60"), "political", estimator = "MLR"),
  ri_clpm = m("rt =~ 1*t1 + 1*t2 + 1*t3 + 1*t4\nrc =~ 1*c1 + 1*c2 + 1*c3 + 1*c4\nwt1 =~ 1*t1\nwt2 =~ 1*t2\nwt3 =~ 1*t3\nwt4 =~ 1*t4\nwc1 =~ 1*c1\nwc2 =~ 1*c2\nwc3 =~ 1*c3\nwc4 =~ 1*c4\nt1 ~~ 0*t1\nt2 ~~ 0*t2\nt3 ~~ 0*t3\nt4 ~~ 0*t4\nc1 ~~ 0*c1\nc2 ~~ 0*c2\nc3 ~~ 0*c3\nc4 ~~ 0*c4\nwt2 ~ a*wt1 + b*wc1\nwc2 ~ d*wt1 + e*wc1\nwt3 ~ a*wt2 + b*wc2\nwc3 ~ d*wt2 + e*wc2\nwt4 ~ a*wt3 + b*wc3\nwc4 ~ d*wt3 + e*wc3\nwt2 ~~ wc2\nwt3 ~~ wc3\nwt4 ~~ wc4\nrt ~~ 0*wt1 + 0*wc1\nrc ~~ 0*wt1 + 0*wc1", "growth"),
  clpm = m("t2 ~ a*t1 + b*c1\nt3 ~ a*t2 + b*c2\nt4 ~ a*t3 + b*c3\nc2 ~ d*t1 + e*c1\nc3 ~ d*t2 + e*c2\nc4 ~ d*t3 + e*c3\nt2 ~~ c2\nt3 ~~ c3\nt4 ~~ c4", "growth_gaps", missing = "fiml"),
  simplex = m("e1 =~ 1*t1\ne2 =~ 1*t2\ne3 =~ 1*t3\ne4 =~ 1*t4\nt1 ~~ u*t1\nt2 ~~ u*t2\nt3 ~~ u*t3\nt4 ~~ u*t4\ne2 ~ e1\ne3 ~ e2\ne4 ~ e3", "growth"),
  phantom_reliability = m("px =~ 1*x1\nx1 ~~ 0.3*x1\nf =~ t1 + t2 + t3\nt4 ~ px + f", "growth"),
  single_indicator = m("fx =~ 1*x1\nx1 ~~ 0.35*x1\nt =~ x4 + x5 + x6\nt ~ fx + ageyr\nfx ~ sex", "hs"),
  fixed_x_off_means = m("t4 ~ t1 + x1 + x2\nt1 ~ x1", "growth", fixed_x = FALSE, meanstructure = TRUE),
  vectors_equal = m("visual =~ x1 + c(a, a)*x2 + c(b1, b2)*x3\nspeed =~ x7 + c(a, a)*x8 + c(d, d2)*x9\nspeed ~ c(p1, p2)*visual\ndiff := p1 - p2\nratio := b1 / b2\nboth := diff * ratio", "hs", group = "school"),
  vectors_linear = m("visual =~ x1 + c(a1, a2)*x2 + x3\nspeed =~ x7 + x8 + x9\nspeed ~ c(p1, p2)*visual\na1 == 2*a2\np1 + p2 == 0.5", "hs", group = "school"),
  effect_coding_groups = m("visual =~ c(NA,NA)*x1 + c(a,a)*x1 + c(b,b)*x2 + c(d,d)*x3\nx1 ~ c(i,i)*1\nx2 ~ c(j,j)*1\nx3 ~ c(k,k)*1\nvisual ~ c(NA,NA)*1\na + b + d == 3\ni + j + k == 0\nvisual ~~ visual", "hs", group = "school"),
  std_lv_groups_strict = m(nine, "hs", group = "school", std_lv = TRUE, group_equal = I(c("loadings", "intercepts", "residuals", "lv.covariances"))),
  std_lv_groups_means = m(nine, "hs", group = "school", std_lv = TRUE, estimator = "MLR", group_equal = I(c("loadings", "intercepts", "lv.variances", "means")), group_partial = I(c("x3~1"))),
  std_lv_groups_scalar = m(nine, "hs", group = "school", std_lv = TRUE, estimator = "MLR", group_equal = I(c("loadings", "intercepts")), group_partial = I(c("x3~1"))),
  std_lv_groups_metric = m(nine, "hs", group = "school", std_lv = TRUE, estimator = "MLR", group_equal = I(c("loadings"))),
  four_groups = m(two, "hs", group = "cell", group_equal = I(c("loadings", "intercepts", "lv.variances"))),
  auxiliary_fiml = m("visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\ntextual ~ visual\nx9 ~~ x1 + x2 + x3 + x4 + x5 + x6 + x8\nx8 ~~ x1 + x2 + x3 + x4 + x5 + x6", "hs_gaps", missing = "fiml"),
  sat_path = m("ACT ~ a1*education + age\nSATV ~ b*ACT + a2*education + gender\nSATQ ~ d*ACT + gender + SATV\nind := a1*b\ntwo := a1*b*d\nshare := ind / (ind + a2)\nlogshare := log(share^2)", "sat", missing = "fiml", estimator = "MLR"),
  sat_groups = m("SATV + SATQ ~ ACT + age\nACT ~ c(a, a)*education", "sat", group = "gender", missing = "fiml"),
  burns_feedback = m("HADS ~ RUM + TBSA\nRUM ~ HADS + Age\nSelfesteem ~ HADS + RUM\nHADS ~~ RUM", "burns"),
  burns_regression = m("Selfesteem ~ c(b1, b2)*HADS + Age + TBSA + RUM\nHADS ~ RUM\ngap := b1 - b2", "burns", group = "Sex"),
  burns_saturated = m("Selfesteem ~~ HADS + RUM\nHADS ~~ RUM\nSelfesteem ~ 1\nHADS ~ 1\nRUM ~ 1", "burns", estimator = "MLR"),
  repeated_means = m("t1 ~~ t2 + t3 + t4\nt2 ~~ t3 + t4\nt3 ~~ t4\nt1 ~ m*1\nt2 ~ m*1\nt3 ~ m*1\nt4 ~ m*1", "growth"),
  compound_symmetry = m("c1 ~~ r*c2 + r*c3 + r*c4\nc2 ~~ r*c3 + r*c4\nc3 ~~ r*c4\nc1 ~~ v*c1\nc2 ~~ v*c2\nc3 ~~ v*c3\nc4 ~~ v*c4", "growth"),
  twolevel_cluster = m("f =~ y1 + y2 + y3\ng =~ y4 + y5 + y6\nf ~ x1 + x2 + w1\ng ~ f + x3 + w2", "clusters", cluster = "cluster", estimator = "MLR"),
  latent_with_observed = m(paste0(two, "visual ~~ ageyr\nspeed ~~ ageyr\nageyr ~~ sex\nx4 ~ visual + speed + ageyr"), "hs"),
  cross_groups_regression_equal = m(paste0("ind =~ x1 + x2 + x3\nd60 =~ y1 + y2 + y3 + y4\nd65 =~ y5 + y6 + y7 + y8\n", "d60 ~ ind\nd65 ~ d60 + ind\ny1 ~~ y5\ny2 ~~ y4 + y6\ny3 ~~ y7\ny4 ~~ y8\ny6 ~~ y8\n"), "political", estimator = "MLR", std_lv = TRUE),
  parallel_items = m("f =~ l*x1 + l*x2 + l*x3\nx1 ~~ e*x1\nx2 ~~ e*x2\nx3 ~~ e*x3\nx1 ~ i*1\nx2 ~ i*1\nx3 ~ i*1\nf ~~ 1*f", "hs"),
  tau_equivalent = m("f =~ l*x1 + l*x2 + l*x3\nf ~~ 1*f\nx1 ~ i1*1", "hs"),
  # ordered
  o_cnes = m("f =~ MBSA2 + MBSA7 + MBSA8 + MBSA9", "cnes", ordered = TRUE),
  o_cnes_equal = m("f =~ NA*MBSA2 + l*MBSA2 + l*MBSA8 + m*MBSA7 + m*MBSA9\nf ~~ 1*f", "cnes", ordered = TRUE),
  o_1pl = m("f =~ NA*q1 + l*q1 + l*q2 + l*q3 + l*q4 + l*q5 + l*q6 + l*q7 + l*q8\nf ~~ 1*f", "able", ordered = TRUE, parameterization = "theta"),
  o_2pl = m("f =~ q1 + q2 + q3 + q4 + q5 + q6 + q7 + q8", "able", ordered = TRUE, std_lv = TRUE, parameterization = "theta"),
  o_second_order = m(paste0(sub("A1 [+] ", "", big), "top =~ A + C + N"), "five", ordered = TRUE),
  o_bifactor = m(paste0("g =~ A1 + A2 + A3 + A4 + A5 + C1 + C2 + C3 + C4 + C5 + N1 + N2 + N3 + N4 + N5\n", big), "five", ordered = TRUE, std_lv = TRUE, orthogonal = TRUE),
  o_mixed_path = m("N =~ N1 + N2 + N3\nO1 ~ b*N + c*age10\nN ~ a*age10\nab := a*b\ntotal := ab + c", "coarse", ordered = I(c("N1", "N2", "N3", "O1"))),
  o_groups_covariate = m("N =~ N1 + N2 + N3 + N4\nN ~ age10", "coarse", ordered = I(c("N1", "N2", "N3", "N4")), group = "sex", group_equal = I(c("thresholds", "loadings"))),
  o_groups_covariate_reg = m("N =~ N1 + N2 + N3 + N4\nN ~ age10", "coarse", ordered = I(c("N1", "N2", "N3", "N4")), group = "sex", group_equal = I(c("thresholds", "loadings", "regressions"))),
  o_groups_partial_vectors = m("N =~ N1 + c(l, l)*N2 + c(k1, k2)*N3 + N4 + N5\nN2 | c(t, t)*t1 + t2\ndiff := k1 - k2", "coarse", ordered = TRUE, group = "sex"),
  o_mixed_items_groups = m("N =~ N1 + N2 + N3 + O2\nO =~ O1 + O3 + O5\nO ~ N", "coarse", ordered = I(c("N1", "N2", "N3", "O1")), group = "sex", group_equal = I(c("loadings"))),
  o_residual_covariances = m("N =~ N1 + N2 + N3 + N4 + N5\nN1 ~~ N2\nN3 ~~ r*N5\nrr := r^2", "coarse", ordered = TRUE, missing = "pairwise"),
  o_uls_mixed = m("N =~ N1 + N2 + N3 + O2\nO =~ O1 + O3 + O5", "coarse", ordered = I(c("N1", "N2", "N3", "O1")), estimator = "ULSMV"),
  o_observed_chain = m("N2 ~ N1\nN3 ~ N2 + N1\nO2 ~ N3", "coarse", ordered = I(c("N1", "N2", "N3"))),
  o_mimic_dif = m("N =~ N1 + N2 + N3 + N4 + N5\nN ~ age10\nN3 ~ age10", "coarse", ordered = I(paste0("N", 1:5)), parameterization = "theta"),
  o_sparse_top = m("N =~ N1 + N2 + N3 + N4\nO =~ O1 + O3s + O4s", "sparse", ordered = I(c("N1", "N2", "N3", "N4", "O1", "O3s", "O4s"))),
  harman74 = list(model = "v =~ GeneralInformation + PargraphComprehension + SentenceCompletion\ns =~ Addition + Code + CountingDots\nm =~ WordRecognition + NumberRecognition + FigureRecognition\ng =~ v + s + m", options = list(sample_cov = Harman74.cor$cov[c(5, 6, 7, 10, 11, 12, 14, 15, 16), c(5, 6, 7, 10, 11, 12, 14, 15, 16)], n_obs = 145)),
  ability_cov = list(model = "f =~ general + picture + blocks + maze\nw =~ reading + vocab\nw ~ f\nmaze ~~ blocks", options = list(sample_cov = ability.cov$cov, n_obs = 112, std_lv = TRUE))
)

# A few Newton steps take lavaan's optimum to the ninth digit, as in sem_common.R; with ordered variables by the
# expected information, and without the EM options.
polished <- function(model, data, options) {
  if (is.null(options$ordered)) return(lav_fit(model, data, options))
  names(options) <- ifelse(names(options) %in% names(lav), lav[names(options)], names(options))
  args <- c(list(model = model, data = data), options)
  fit <- do.call("sem", args)
  for (step in 1:8) {
    K <- if (fit@Model@eq.constraints) fit@Model@eq.constraints.K else diag(fit@Model@nx.free)
    H <- t(K) %*% lavInspect(fit, "information.expected") %*% K
    delta <- as.numeric(K %*% solve(H, t(K) %*% lavInspect(fit, "gradient"), tol = 0))
    if (max(abs(delta)) < 1e-9 || max(abs(delta)) > 1) break
    table <- parTable(fit); free <- table$free > 0
    table$est[free] <- table$est[free] - delta[table$free[free]]
    args$fixed.x <- TRUE
    fit <- do.call("sem", c(args, list(start = table, optim.method = "none", optim.force.converged = TRUE)))
  }
  fit
}
rows_with_gaps <- function(x, names) { x <- unclass(x); colnames(x) <- names; unname(x[1:6, , drop = FALSE]) }
quiet <- function(e) tryCatch(suppressWarnings(e), error = function(err) NULL)
one <- function(name, x) {
  cat(name, "\n")
  data <- if (!is.null(x$set)) read.csv(paste0("data/public_", x$set, ".csv"))
  fit <- suppressWarnings(polished(x$model, data, x$options))
  groups <- lavInspect(fit, "group.label")
  standard <- function(type) { invisible(capture.output(s <- quiet(standardizedSolution(fit, type = type))))
                               columns(s[!s$op %in% c("==", "<", ">"), ], c("est.std", "se")) }
  est <- parameterEstimates(fit); est <- est[!est$op %in% c("==", "<", ">"), ]
  mi <- quiet(modindices(fit, sort. = TRUE))
  x$options$sample_cov <- if (!is.null(x$options$sample_cov)) list(names = rownames(x$options$sample_cov), values = unname(x$options$sample_cov))
  out <- c(x, list(n = lavInspect(fit, "nobs"), groups = I(as.character(groups)),
    estimates = c(columns(est, c("lhs", "op", "rhs", "group", "est", "se")), list(std_all = standard("std.all")$est.std,
      std_all_se = standard("std.all")$se, std_lv = standard("std.lv")$est.std, std_lv_se = standard("std.lv")$se,
      std_nox = standard("std.nox")$est.std, std_nox_se = standard("std.nox")$se)),
    measures = { v <- as.list(unclass(fitMeasures(fit))); v[grepl("^(npar|fmin|chisq|df|pvalue|baseline|cfi|tli|logl|unres|aic|bic|ntotal|rmsea|srmr$)", names(v)) & !grepl("level|lower|h0|notclose", names(v)) | grepl("ci.lower", names(v)) ] }))
  if (!is.null(mi)) out$mi <- columns(head(mi[!is.na(mi$mi) & !mi$op %in% c("~*~", "|"), ], 12), c("lhs", "op", "rhs", "group", "mi", "epc"))
  r2 <- lavInspect(fit, "r2")
  out$r2 <- if (length(groups)) lapply(r2, as.list) else as.list(r2)
  if (is.null(x$options$ordered) && length(lavNames(fit, "lv")) && !is.null(data)) {
    # without a mean structure lavaan shifts the scores of latents that act on, or depend on, observed variables
    full <- if (lavInspect(fit, "meanstructure")) fit else suppressWarnings(polished(x$model, data, c(x$options, list(meanstructure = TRUE))))
    score <- function(method) { s <- quiet(lavPredict(full, method = method)); if (is.list(s)) lapply(s, rows_with_gaps, lavNames(fit, "lv")) else if (!is.null(s)) rows_with_gaps(s, lavNames(fit, "lv")) }
    out$scores <- list(names = I(lavNames(fit, "lv")), regression = score("regression"), bartlett = score("Bartlett"))
  }
  attr(out, "fit") <- fit
  out
}
cases <- Map(one, names(models), models)
chain <- function(...) { fits <- lapply(list(...), function(n) attr(cases[[n]], "fit")); t <- suppressWarnings(do.call(lavTestLRT, fits))
  list(names = c(...), chisq_diff = t[["Chisq diff"]][-1], df_diff = t[["Df diff"]][-1], pvalue = t[["Pr(>Chisq)"]][-1]) }
pairs <- list(chain("growth_quadratic", "growth_linear"), chain("std_lv_groups_metric", "std_lv_groups_scalar", "std_lv_groups_means"),
  chain("o_cnes", "o_cnes_equal"), chain("o_2pl", "o_1pl"), chain("o_groups_covariate", "o_groups_covariate_reg"))

# Where lavaan 0.6-14 contradicts itself: the number that it gives by another way, which is the right one.
fit_of <- function(name) attr(cases[[name]], "fit")
named <- paste0(changing, "\nx1 ~~ x1 + x2 + c1 + c2 + c3 + c4\nx2 ~~ x2 + c1 + c2 + c3 + c4\nc1 ~~ c1 + c2 + c3 + c4\nc2 ~~ c2 + c3 + c4\nc3 ~~ c3 + c4\nc4 ~~ c4")
same <- lav_fit(named, read.csv("data/public_growth_gaps.csv"), list(missing = "fiml", fixed_x = FALSE))
chain_theta <- sem(models$o_observed_chain$model, sets$coarse, ordered = models$o_observed_chain$options$ordered, parameterization = "theta")
added <- function(name, what) list(case = name, add = what, mi = lavTestScore(fit_of(name), add = what)$test$X2)
faults <- list(rmsea_robust = fitMeasures(same, "rmsea.robust")[[1]], chain_theta = as.list(unclass(fitMeasures(chain_theta, c("chisq", "chisq.scaled")))),
  score_tests = list(added("latent_with_observed", "visual =~ x8"), added("latent_with_observed", "x1 ~~ x3"), added("latent_change", "y6 ~~ y8"), added("latent_change", "y1 ~~ y3")))
short <- function(x) if (is.list(x)) lapply(x, short) else if (is.double(x)) signif(x, 8) else x
cases <- lapply(cases, function(x) { attr(x, "fit") <- NULL; short(x) })
text <- toJSON(list(cases = cases, pairs = short(pairs), faults = short(faults)), digits = NA, auto_unbox = TRUE, na = "null", null = "null", matrix = "rowmajor")
writeLines(gsub('("[a-z0-9_]+":\\{"model")', '\n\\1', text), "public_data.json")
