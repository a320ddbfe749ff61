# Power of tests of fit by RMSEA (MacCallum, Browne & Sugawara 1996) with R's own noncentral chi-square.
# Run from tests/reference/:  Rscript rmsea_power.R     (R 4.2.2; writes rmsea_power.csv)
d <- expand.grid(df = c(5, 50, 100), n = c(100, 200, 500), null = c(0, .05), true = c(.01, .08))
d$power <- with(d, ifelse(true > null,
  pchisq(qchisq(.95, df, (n - 1) * df * null^2), df, (n - 1) * df * true^2, lower.tail = FALSE),
  pchisq(qchisq(.05, df, (n - 1) * df * null^2), df, (n - 1) * df * true^2)))
write.csv(format(d, digits = 12, trim = TRUE), "rmsea_power.csv", row.names = FALSE, quote = FALSE)
