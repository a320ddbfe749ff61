# Noncentrality of likelihood ratio tests in populations that are written down, and the power that follows.
# Run from tests/reference/:  Rscript structural_power.R      (R 4.2.2, lavaan 0.6-14)
# As semPower computes it (Moshagen & Erdfelder 2016): fit the restricted model to the population's moments; power is the
# upper tail of a noncentral chi-square. Here the noncentrality is n times 2 F, where semPower has (n - 1).
suppressMessages({library(lavaan); library(jsonlite)})
N <- 100000
moments <- function(text) lavTech(sem(text, do.fit = FALSE, fixed.x = FALSE, meanstructure = TRUE), "implied", add.labels = TRUE)[[1]]
chisq <- function(model, m, ...) fitMeasures(sem(model, sample.cov = lapply(m, `[[`, "cov"),
  sample.mean = lapply(m, function(g) drop(g$mean)), sample.nobs = rep(N / length(m), length(m)),
  sample.cov.rescale = FALSE, fixed.x = FALSE, ...), "chisq")
power <- function(lambda, df, n) 1 - pchisq(qchisq(.95, df), df, n * lambda)
out <- function(lambda, df) list(noncentrality = lambda, df = df, n = c(100, 250, 600), power = power(lambda, df, c(100, 250, 600)))

causal <- "f =~ .8*a + .7*b + .7*c; g =~ .8*d + .7*e + .7*h; g ~ .25*f; f ~~ 1*f; g ~~ .9375*g
  a ~~ .36*a; b ~~ .51*b; c ~~ .51*c; d ~~ .36*d; e ~~ .51*e; h ~~ .51*h"
m <- list(moments(causal))
path <- chisq("f =~ a + b + c; g =~ d + e + h; g ~ 0*f", m) / N
tau <- chisq("f =~ a + 1*b + 1*c; g =~ d + e + h; g ~ f", m) / N
group <- function(d, a) paste0("f =~ .8*a + .7*b + .7*c + ", d, "*d; f ~~ 1*f; a ~~ .36*a; b ~~ .51*b; c ~~ .51*c; d ~~ .64*d; a ~ ", a, "*1")
two <- list(moments(group(.6, 0)), moments(group(.4, .3)))
one <- "f =~ a + b + c + d"
step <- function(equal) chisq(one, two, group.equal = equal) / N
metric <- step("loadings") - step("")
scalar <- step(c("loadings", "intercepts")) - step("loadings")
strict <- step(c("loadings", "intercepts", "residuals")) - step(c("loadings", "intercepts"))
text <- toJSON(list(path = out(path, 1), tau = out(tau, 2), metric = out(metric, 3), scalar = out(scalar, 3), strict = out(strict, 4)),
               digits = 10, auto_unbox = TRUE, pretty = 1)
writeLines(text, "structural_power.json"); cat(text, "\n")
