# Scores that maximise the likelihood of ordered answers alone. Run in tests/reference after ordinal_correlations.R; writes
# ordinal_scores.json. lavPredict(method = "Bartlett") of a model with ordered items is method = "ML".
source("ordinal_common.R")
one <- function(name, set, model, ordered = TRUE) {
  fit <- sem(model, set_data(set), ordered = ordered)
  ml <- lavPredict(fit, method = "ML", optim.method = "nlminb")
  stopifnot(identical(unclass(ml), unclass(lavPredict(fit, method = "Bartlett", optim.method = "nlminb"))))
  list(name = name, set = set, model = model, ordered = ordered, scores = unclass(ml)[1:120, , drop = FALSE])
}
out <- list(
  one("four", "four", "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3"),
  one("five cross-loading", "five", "f =~ x1 + x2 + x3 + x4 + y1\ng =~ y1 + y2 + y3 + y4"),
  one("mixed", "mixed", "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3", c("x1", "x2", "y1", "y3"))
)
write(toJSON(out, digits = 8, auto_unbox = TRUE, na = "null"), "ordinal_scores.json")
