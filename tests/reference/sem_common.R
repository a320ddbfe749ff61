# What the sem_*.R scripts share: fit a model with lavaan, tightly, and put everything worth comparing in a list.
# Printed with R 4.2.2, lavaan 0.6-14, jsonlite 1.8.4. Options carry the names of switchcost's fit(); `lav` renames them.
suppressMessages({library(lavaan); library(jsonlite)})

read_set <- function(name) read.csv(file.path("data", paste0("sem_", name, ".csv")))
lav <- c(group_equal = "group.equal", group_partial = "group.partial", std_lv = "std.lv", sample_cov = "sample.cov",
         sample_mean = "sample.mean", n_obs = "sample.nobs", fixed_x = "fixed.x")
# EM for the saturated model stops at 1e-5 by default; a reference should not.
tight <- list(em.h1.tol = 1e-13, em.h1.iter.max = 20000L)

# lavaan's optimiser stops at about six digits. A few Newton steps (in the space that linear equality constraints
# leave) take it to the eleventh; nonlinear constraints, and solutions that lavaan refuses as a start, keep its own.
lav_fit <- function(model, data = NULL, options = list(), extra = list()) {
  names(options) <- ifelse(names(options) %in% names(lav), lav[names(options)], names(options))
  args <- c(list(model = model), options, extra, tight)
  if (!is.null(data)) args$data <- data
  fit <- do.call("sem", args)
  if (!lavInspect(fit, "converged")) stop("lavaan did not converge: ", model)
  last <- NA
  if (length(fit@Model@ceq.nonlinear.idx) == 0) for (step in 1:6) {
    K <- if (fit@Model@eq.constraints) fit@Model@eq.constraints.K else diag(fit@Model@nx.free)
    g <- t(K) %*% lavInspect(fit, "gradient")
    H <- t(K) %*% lavInspect(fit, "information.observed") %*% K   # lavaan's "hessian" is wrong for FIML with groups
    delta <- as.numeric(K %*% solve(H, g, tol = 0))
    size <- max(abs(delta))
    if (size < 1e-9 || (!is.na(last) && size > last)) break
    last <- size
    before <- fit
    table <- parTable(fit)
    free <- table$free > 0
    table$est[free] <- table$est[free] - delta[table$free[free]]   # lavaan starts from `est` where there is one
    if (is.null(args$fixed.x)) args$fixed.x <- TRUE                # a start table switches this off
    fit <- do.call("sem", c(args, list(start = table, optim.method = "none", optim.force.converged = TRUE)))
  }
  if (length(fit@Model@ceq.nonlinear.idx) == 0 && size > 1e-9) {
    cat("  not polished; last step", last, "\n")
    fit <- before
  }
  fit
}

columns <- function(x, keep) lapply(as.list(as.data.frame(x)[intersect(keep, names(x))]), unname)

# One case. `extra` holds lavaan options that fit() has no word for; `want` any of "mi", "residuals", "scores", "score".
reference <- function(model, set = NULL, options = list(), extra = list(), want = character()) {
  notes <- character()
  data <- if (!is.null(set)) read_set(set)
  fit <- withCallingHandlers(lav_fit(model, data, options, extra), warning = function(w) {
    notes <<- c(notes, conditionMessage(w)); invokeRestart("muffleWarning")})
  suppressWarnings({
    invisible(capture.output(std <- standardizedSolution(fit)))
    est <- parameterEstimates(fit)
    est <- est[!est$op %in% c("==", "<", ">"), ]
    out <- list(model = model, set = set, options = options, warnings = I(notes),
                n = lavInspect(fit, "nobs"), groups = lavInspect(fit, "group.label"),
                estimates = columns(est, c("lhs", "op", "rhs", "group", "label", "est", "se", "pvalue")),
                standardized = columns(std, c("lhs", "op", "rhs", "group", "est.std", "se")),
                measures = as.list(unclass(fitMeasures(fit))))
    if ("mi" %in% want) {
      mi <- modindices(fit, sort. = TRUE)
      out$mi <- columns(head(mi[!is.na(mi$mi), ], 10), c("lhs", "op", "rhs", "group", "mi", "epc", "sepc.all"))
    }
    if ("residuals" %in% want) {
      res <- lavResiduals(fit, type = "cor.bentler")
      out$residuals <- list(names = rownames(res$cov), cor = unclass(residuals(fit, type = "cor.bollen")$cov), z = unclass(res$cov.z))
    }
    if ("scores" %in% want) out$scores <- list(
      names = lavNames(fit, "lv"),
      regression = head(lavPredict(fit), 5), bartlett = head(lavPredict(fit, method = "Bartlett"), 5))
    if ("score" %in% want) {
      s <- lavTestScore(fit)
      name <- function(plabel) { t <- parTable(fit); k <- match(plabel, t$plabel)
                                 list(lhs = t$lhs[k], op = t$op[k], rhs = t$rhs[k]) }
      out$score_test <- c(name(s$uni$lhs), list(chisq = s$uni$X2, pvalue = s$uni$p.value))
    }
  })
  attr(out, "fit") <- fit
  out
}

compare_pair <- function(a, b) {
  t <- suppressWarnings(lavTestLRT(attr(a, "fit"), attr(b, "fit")))
  list(chisq_diff = t[["Chisq diff"]][2], df_diff = t[["Df diff"]][2], pvalue = t[["Pr(>Chisq)"]][2])
}

# 13 significant digits: beyond what two optimisers can agree on, and the files stay small.
write_cases <- function(cases, name, pairs = NULL) {
  short <- function(x) if (is.list(x)) lapply(x, short) else if (is.double(x)) signif(x, 13) else x
  cases <- lapply(cases, function(x) { attr(x, "fit") <- NULL; x })
  body <- list(versions = list(R = as.character(getRversion()), lavaan = as.character(packageVersion("lavaan"))),
               cases = short(cases), pairs = short(pairs))
  # one case a line keeps differences between two printings readable
  text <- toJSON(body, digits = NA, auto_unbox = TRUE, na = "null", null = "null", matrix = "rowmajor")
  text <- gsub('("[a-z0-9_]+":\\{"model")', '\n\\1', text)
  writeLines(text, paste0(name, ".json"))
  cat(name, ":", length(cases), "cases\n")
}
