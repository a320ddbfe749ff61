# lavaan's side of speed.py: seconds of single fits and of bootstrap refits, printed as JSON.
# Called by speed.py:  Rscript speed.R data.csv model.txt single_fits refits
suppressMessages({library(lavaan); library(jsonlite)})
args <- commandArgs(TRUE)
data <- read.csv(args[1])
model <- paste(readLines(args[2]), collapse = "\n")
clock <- function(f) { t <- proc.time(); value <- f(); d <- proc.time() - t
  list(cpu = sum(d[c("user.self", "sys.self")]), wall = d[["elapsed"]], value = value) }

single <- function() { fit <- cfa(model, data); fitMeasures(fit); standardizedSolution(fit); TRUE }
invisible(single())                                                        # the first call compiles
runs <- lapply(seq_len(as.integer(args[3])), function(k) clock(single))
out <- list(version = as.character(packageVersion("lavaan")),
            single_cpu = sapply(runs, `[[`, "cpu"), single_wall = sapply(runs, `[[`, "wall"))
refits <- as.integer(args[4])
if (refits > 0) {
  fit <- cfa(model, data)
  boot <- clock(function() bootstrapLavaan(fit, R = refits, type = "nonparametric", parallel = "no"))
  out <- c(out, list(boot_cpu = boot$cpu, boot_wall = boot$wall, refits = refits,
                     converged = sum(stats::complete.cases(boot$value))))
}
cat(toJSON(out, auto_unbox = TRUE, digits = 8))
