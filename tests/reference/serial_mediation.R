# Reference numbers for sc.mediate(serial = TRUE): lavaan's bootstrap of a chain x -> m1 -> m2 -> y. Run from tests/reference/:
# Rscript serial_mediation.R. Reads data/mediation.csv, writes serial_mediation.json. R 4.2.2, lavaan 0.6-14, seed 20261128.
library(jsonlite); suppressMessages(library(lavaan))
d <- na.omit(read.csv("data/mediation.csv")); set.seed(20261128)
model <- "m1 ~ a1*x + age
m2 ~ a2*x + d*m1 + age
y ~ c*x + b1*m1 + b2*m2 + age
i1 := a1*b1
i2 := a2*b2
chain := a1*d*b2
all := i1 + i2 + chain
direct := c
total := all + c"
fit <- sem(model, d, se = "bootstrap", bootstrap = 2000, fixed.x = TRUE)
p <- parameterEstimates(fit, boot.ci.type = "perc"); p <- p[p$op == ":=", ]
writeLines(toJSON(list(effect = p$lhs, est = p$est, se = p$se, lower = p$ci.lower, upper = p$ci.upper, n = nrow(d)),
  digits = NA, auto_unbox = TRUE, pretty = TRUE), "serial_mediation.json")
