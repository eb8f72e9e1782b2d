# Numbers of R to compare with. From this folder, with the FEV1 and crossover data beside the repository:
#   Rscript numbers.R ../../../../shared/reference
# writes numbers.csv (name, value) and the three data sets that the packages bring. Versions are in numbers.csv.
library(survival)
library(nlme)
library(MASS)
suppressMessages({library(lme4); library(lmerTest); library(metafor)})
reference <- commandArgs(trailingOnly = TRUE)[1]
names_of <- character(); values <- character()
say <- function(name, value) {
  value <- unname(as.vector(value))
  label <- if (length(value) == 1) name else paste0(name, ".", seq_along(value))
  names_of <<- c(names_of, label)
  values <<- c(values, if (is.character(value)) value else trimws(formatC(value, digits = 15, format = "g")))
}
for (package in c("survival", "nlme", "MASS", "lme4", "lmerTest", "metafor")) say(paste0("version.", package), as.character(packageVersion(package)))
say("version.R", paste(R.version$major, R.version$minor, sep = "."))

# --- times: Veterans' Administration lung cancer trial (Kalbfleisch and Prentice 1980) ------------------------------
v <- survival::veteran
write.csv(v, "veteran.csv", row.names = FALSE, quote = FALSE)
for (bounds in c("plain", "log", "log-log")) {
  curve <- survfit(Surv(time, status) ~ 1, v, conf.type = bounds)
  say(paste0("km.", bounds, ".lower100"), summary(curve, times = 100)$lower)
  say(paste0("km.", bounds, ".upper100"), summary(curve, times = 100)$upper)
  found <- quantile(curve, c(0.25, 0.5, 0.75))
  say(paste0("km.", bounds, ".quantile"), found$quantile)
  say(paste0("km.", bounds, ".quantile_lower"), found$lower)
  say(paste0("km.", bounds, ".quantile_upper"), found$upper)
}
say("km.at100", summary(curve, times = 100)$surv)
say("km.error100", summary(curve, times = 100)$std.err)
for (strata in c("", " + strata(prior)")) {
  test <- survdiff(as.formula(paste0("Surv(time, status) ~ celltype", strata)), v)
  say(paste0("logrank", if (strata == "") "" else ".strata"), test$chisq)
  say(paste0("logrank.expected", if (strata == "") "" else ".strata"), if (strata == "") test$exp else rowSums(test$exp))
}
for (ties in c("efron", "breslow")) {
  fit <- coxph(Surv(time, status) ~ trt + karno + celltype, v, ties = ties)
  say(paste0("cox.", ties, ".beta"), coef(fit)); say(paste0("cox.", ties, ".error"), sqrt(diag(vcov(fit))))
  say(paste0("cox.", ties, ".likelihood"), fit$loglik); say(paste0("cox.", ties, ".score"), fit$score)
  fit <- coxph(Surv(time, status) ~ trt + karno + strata(celltype), v, ties = ties, robust = TRUE)
  say(paste0("cox.", ties, ".strata.beta"), coef(fit)); say(paste0("cox.", ties, ".strata.robust"), sqrt(diag(vcov(fit))))
}

# --- recurrent events: bladder cancer (Andrews and Herzberg 1985; Wei, Lin and Weissfeld 1989) ----------------------
b <- survival::bladder2[survival::bladder2$start < survival::bladder2$stop, c("id", "rx", "number", "size", "start", "stop", "event")]
write.csv(b, "bladder.csv", row.names = FALSE, quote = FALSE)
for (ties in c("efron", "breslow")) {
  fit <- coxph(Surv(start, stop, event) ~ rx + number + size, b, ties = ties, cluster = id)
  say(paste0("lwyy.", ties, ".beta"), coef(fit)); say(paste0("lwyy.", ties, ".robust"), sqrt(diag(vcov(fit))))
  say(paste0("lwyy.", ties, ".naive"), sqrt(diag(fit$naive.var)))
}

# --- counts: seizures in epilepsy (Thall and Vail 1990), the four periods of two weeks together ---------------------
e <- aggregate(y ~ subject + trt + base + age, MASS::epil, sum)
e$weeks <- 8
write.csv(e, "epilepsy.csv", row.names = FALSE, quote = FALSE)
fit <- glm.nb(y ~ trt + log(base) + age + offset(log(weeks)), e, control = glm.control(epsilon = 1e-14, maxit = 200))
say("nb.beta", coef(fit)); say("nb.kappa", 1 / fit$theta); say("nb.likelihood", as.numeric(logLik(fit)))
# Observed information of all five parameters, by differences along orthogonal columns, where they lose no digits.
x <- model.matrix(~ trt + log(base) + age, e)
turn <- qr.R(qr(x)) / sqrt(nrow(x)); z <- x %*% solve(turn)
minus <- function(p) -sum(dnbinom(e$y, size = exp(-p[5]), mu = e$weeks * exp(z %*% p[1:4]), log = TRUE))
at <- c(turn %*% coef(fit), log(1 / fit$theta))
hessian <- optimHess(at, minus, control = list(ndeps = rep(1e-3, 5)))
say("nb.error", sqrt(diag(solve(turn) %*% solve(hessian)[1:4, 1:4] %*% t(solve(turn)))))
fit <- glm(y ~ trt + log(base) + age + offset(log(weeks)), poisson, e, control = glm.control(epsilon = 1e-14))
say("poisson.beta", coef(fit)); say("poisson.error", sqrt(diag(vcov(fit)))); say("poisson.likelihood", as.numeric(logLik(fit)))

# --- tables --------------------------------------------------------------------------------------------------------
for (correct in c(TRUE, FALSE)) say(paste0("cmh.berkeley.", correct), mantelhaen.test(UCBAdmissions, correct = correct)$statistic)
test <- mantelhaen.test(UCBAdmissions)
say("cmh.berkeley.odds", test$estimate); say("cmh.berkeley.interval", test$conf.int)
u <- UCBAdmissions  # admitted or not, by sex, by department
risk <- rma.mh(ai = u[1, 1, ], bi = u[2, 1, ], ci = u[1, 2, ], di = u[2, 2, ], measure = "RD", digits = 15)
say("cmh.berkeley.risk", c(risk$beta, risk$se))
tea <- fisher.test(matrix(c(3, 1, 1, 3), 2))
say("fisher.tea", c(tea$p.value, tea$estimate, tea$conf.int))
other <- fisher.test(matrix(c(2, 10, 15, 3), 2))
say("fisher.twins", c(other$p.value, other$estimate, other$conf.int))
say("holm", p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.2), "holm"))

# --- repeated outcomes ---------------------------------------------------------------------------------------------
f <- read.csv(file.path(reference, "mmrm", "fev_data.csv"))
f <- f[!is.na(f$FEV1), ]
f$VIS <- f$VISITN
model <- FEV1 ~ RACE + SEX + ARMCD * AVISIT
ways <- list(
  cs = list(corCompSymm(form = ~ 1 | USUBJID), NULL), csh = list(corCompSymm(form = ~ 1 | USUBJID), varIdent(form = ~ 1 | AVISIT)),
  ar1 = list(corAR1(form = ~ VIS | USUBJID), NULL), arh1 = list(corAR1(form = ~ VIS | USUBJID), varIdent(form = ~ 1 | AVISIT)),
  us = list(corSymm(form = ~ VIS | USUBJID), varIdent(form = ~ 1 | AVISIT)),
  toep = list(corARMA(form = ~ VIS | USUBJID, p = 3, q = 0), NULL), toeph = list(corARMA(form = ~ VIS | USUBJID, p = 3, q = 0), varIdent(form = ~ 1 | AVISIT))
)
for (name in names(ways)) {
  fit <- tryCatch(gls(model, f, correlation = ways[[name]][[1]], weights = ways[[name]][[2]], method = "REML",
    control = glsControl(maxIter = 500, msMaxIter = 1000, tolerance = 1e-10, msTol = 1e-12, opt = "nlminb")), error = function(e) { message(name, ": ", conditionMessage(e)); NULL })
  if (is.null(fit)) next
  c1 <- coef(fit); k <- names(c1) %in% c("ARMCDTRT", "ARMCDTRT:AVISITVIS4")
  say(paste0("gls.", name, ".likelihood"), -2 * as.numeric(logLik(fit)))
  say(paste0("gls.", name, ".difference"), sum(c1[k])); say(paste0("gls.", name, ".error"), sqrt(sum(vcov(fit)[k, k])))
}
tight <- lmerControl(optCtrl = list(ftol_abs = 1e-14, xtol_abs = 1e-12))
options(contrasts = c("contr.sum", "contr.poly"))
fit <- lmerTest::lmer(FEV1 ~ RACE + SEX + ARMCD * AVISIT + (1 | USUBJID), f, control = tight)
table <- anova(fit, type = 3)
for (row in rownames(table)) say(paste0("lmer.", row), unlist(table[row, c("F value", "NumDF", "DenDF", "Pr(>F)")]))
options(contrasts = c("contr.treatment", "contr.poly"))

# --- crossover, with those who have one period only ----------------------------------------------------------------
j <- read.csv(file.path(reference, "crossover", "jones_kenward_pefr.csv"))
j <- j[!is.na(j$pefr), ]
j$on <- ifelse((j$sequence == "AB") == (j$period == 1), "A", "B")
j <- j[!(j$period == 2 & j$subject %% 5 == 0), ]  # as if these had left after period 1
say("crossover.rows", nrow(j))
for (sequence in c(" + sequence", "")) {
  fit <- lmerTest::lmer(as.formula(paste0("pefr ~ on + factor(period)", sequence, " + (1 | subject)")), j, control = tight)
  row <- coef(summary(fit))["onB", ]
  say(paste0("crossover.", if (sequence == "") "without" else "with"), c(-row["Estimate"], row["Std. Error"], row["df"]))
  if (sequence != "") say("crossover.sequence", coef(summary(fit))["sequenceBA", c("Estimate", "Std. Error", "df")])
}
write.csv(data.frame(name = names_of, value = values), "numbers.csv", row.names = FALSE, quote = FALSE)
