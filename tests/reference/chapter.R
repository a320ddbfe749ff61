# Reference numbers for the results chapter on four survey files, read here by R itself. Run from tests/reference/:  Rscript chapter.R
# Writes chapter.json. R 4.2.2, lavaan 0.6-14, psych 2.2.9, sandwich 3.0.2, foreign. The files: tests/switchcost/surveys/README of each is in test_surveys.py.
suppressMessages({library(jsonlite); library(lavaan); library(psych); library(sandwich); library(foreign)})
at <- function(f) file.path("..", "switchcost", "surveys", f)
plain <- list(satisfaction = paste0("sat", 1:4), switching_costs = paste0("sc", 1:5), trust = paste0("tr", 1:3), loyalty = paste0("loy", 1:4))

qualtrics <- function() {
  d <- read.csv(at("02_qualtrics.csv"), header = FALSE, skip = 3, fileEncoding = "UTF-8", stringsAsFactors = FALSE)
  names(d) <- as.character(read.csv(at("02_qualtrics.csv"), header = FALSE, nrows = 1, fileEncoding = "UTF-8-BOM", stringsAsFactors = FALSE))
  d <- d[!grepl("Preview", d$Status) & d$Finished == "True", ]
  d <- d[is.na(d$Q6) | d$Q6 == 2, ]
  out <- d[, c(paste0("Q2_", 1:4), paste0("Q3_", 1:5), paste0("Q4_", 1:3), paste0("Q5_", 1:4))]
  setNames(as.data.frame(lapply(out, as.numeric)), unlist(plain))
}
spss <- function() {
  d <- suppressWarnings(read.spss(at("04_spss.sav"), to.data.frame = TRUE, use.value.labels = FALSE, use.missings = TRUE))
  d[, unlist(plain)]
}
german <- function() read.csv2(at("08_german_excel.csv"), fileEncoding = "latin1")[, unlist(plain)]
mixed <- function() {
  d <- read.csv(at("11_mixed_scales.csv"))
  d[is.na(d$attention) | d$attention == 2, unlist(plain)]
}

numbers <- function(d, tops) {
  n <- nrow(d)
  d$sc5 <- tops[["switching_costs"]] + 1 - d$sc5
  d$loy4 <- tops[["loyalty"]] + 1 - d$loy4
  gaps <- if (anyNA(d)) "fiml" else "listwise"
  omega <- sapply(plain, function(items) {
    f <- cfa(paste("f =~", paste(items, collapse = " + ")), d[, items], std.lv = TRUE)
    e <- parameterEstimates(f); l <- e$est[e$op == "=~"]; t <- e$est[e$op == "~~" & e$lhs %in% items]
    sum(l)^2 / (sum(l)^2 + sum(t)) })
  alpha <- sapply(plain, function(items) suppressWarnings(psych::alpha(na.omit(d[, items]), check.keys = FALSE))$total$raw_alpha)
  measurement <- paste(sapply(names(plain), function(s) paste(s, "=~", paste(plain[[s]], collapse = " + "))), collapse = "\n")
  fits <- c("chisq.scaled", "df", "pvalue.scaled", "cfi.robust", "tli.robust", "rmsea.robust", "srmr")
  f <- cfa(measurement, d, estimator = "MLR", missing = gaps)
  s <- standardizedSolution(f); loadings <- setNames(s$est.std[s$op == "=~"], s$rhs[s$op == "=~"])
  r <- cor(d[, unlist(plain)], use = "complete.obs")
  mono <- function(i) { m <- abs(r[i, i]); mean(m[upper.tri(m)]) }
  htmt <- combn(names(plain), 2, function(p) mean(abs(r[plain[[p[1]]], plain[[p[2]]]])) / sqrt(mono(plain[[p[1]]]) * mono(plain[[p[2]]])))
  g <- sem(paste0(measurement, "\nloyalty ~ satisfaction + trust + switching_costs\ntrust ~ satisfaction"), d, estimator = "MLR", missing = gaps)
  e <- parameterEstimates(g); e <- e[e$op == "~", ]
  scores <- as.data.frame(lapply(plain, function(i) { m <- rowMeans(d[, i], na.rm = TRUE); m[rowMeans(!is.na(d[, i])) < .5] <- NA; m }))
  scores <- na.omit(scores)
  x <- scores$satisfaction - mean(scores$satisfaction); w <- scores$switching_costs - mean(scores$switching_costs)
  m <- lm(loyalty ~ x + w + x:w + trust, cbind(scores, x, w))
  list(n = n, answered = as.list(colSums(!is.na(d))), means = as.list(colMeans(d, na.rm = TRUE)), alpha = as.list(alpha), omega = as.list(omega),
       fit = as.list(setNames(fitMeasures(f, fits), fits)), loadings = as.list(loadings),
       htmt = as.list(setNames(htmt, combn(names(plain), 2, paste, collapse = " "))),
       paths = setNames(lapply(seq_len(nrow(e)), function(i) as.list(e[i, c("est", "se")])), paste(e$lhs, e$rhs)),
       sem = as.list(setNames(fitMeasures(g, fits), fits)),
       product = list(est = coef(m)[["x:w"]], se = sqrt(diag(vcovHC(m, "HC3")))[["x:w"]], r2 = summary(m)$r.squared, n = nrow(scores)))
}
five <- c(switching_costs = 5, loyalty = 5)
out <- list("02_qualtrics.csv" = numbers(qualtrics(), c(switching_costs = 7, loyalty = 7)), "04_spss.sav" = numbers(spss(), five),
            "08_german_excel.csv" = numbers(german(), five), "11_mixed_scales.csv" = numbers(mixed(), five))
writeLines(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "chapter.json")
