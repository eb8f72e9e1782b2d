# The models of analysis.py in R, on the table it writes: Rscript analysis.R TABLE. Prints name, milliseconds (best run),
# estimate and standard error of the difference of the arms at the last visit.
data <- read.csv(commandArgs(trailingOnly = TRUE)[1])
data$visit <- factor(data$visit); data$arm <- factor(data$arm); data$person <- factor(data$person)
best <- function(act, times) min(replicate(times, { started <- proc.time()[["elapsed"]]; for (n in 1:3) act(); (proc.time()[["elapsed"]] - started) / 3 }))
say <- function(name, seconds, value, error) cat(name, 1000 * seconds, value, error, sep = ","); 
last <- tail(levels(data$visit), 1)
at_last <- function(names) as.numeric(names %in% c("armB", paste0("armB:visit", last), paste0("visit", last, ":armB")))
if (requireNamespace("nlme", quietly = TRUE)) {
  library(nlme)
  fit <- function() gls(y ~ base + arm * visit, data, correlation = corSymm(form = ~ as.integer(visit) | person), weights = varIdent(form = ~ 1 | visit), method = "REML")
  found <- fit(); c1 <- at_last(names(coef(found)))
  say("nlme gls unstructured", best(fit, 3), sum(c1 * coef(found)), sqrt(drop(c1 %*% vcov(found) %*% c1))); cat("\n")
}
if (requireNamespace("lmerTest", quietly = TRUE)) {
  suppressMessages(library(lmerTest))
  fit <- function() { found <- lmer(y ~ base + arm * visit + (1 | person), data); contest1D(found, at_last(names(lme4::fixef(found)))); found }
  found <- fit(); one <- contest1D(found, at_last(names(lme4::fixef(found))))
  say("lmerTest lmer random intercept", best(fit, 3), one$Estimate, one$`Std. Error`); cat("\n")
}
