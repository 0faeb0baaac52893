# DESeq2 on the counts.tsv, samples.tsv and contrasts.tsv that bench/fits.py writes into a folder: a Wald test of every
# contrast of one row and, where samples have times, likelihood-ratio tests of any effect and of its change over time, on
# the same dispersions. The last line printed is JSON: seconds from the start of the fit, significant genes, versions.

suppressPackageStartupMessages(library(DESeq2))

folder <- commandArgs(trailingOnly = TRUE)[1]
read <- function(name, ...) read.delim(file.path(folder, name), row.names = 1, check.names = FALSE, ...)
seconds <- function() proc.time()[["elapsed"]]
significant <- function(...) sum(results(..., alpha = 0.1)$padj < 0.05, na.rm = TRUE)

samples <- read("samples.tsv", stringsAsFactors = TRUE)
contrasts <- read("contrasts.tsv")
data <- DESeqDataSetFromMatrix(as.matrix(read("counts.tsv")), samples, ~cell)
# Weights of the cells become weights of the coefficients: those of a contrast add up to zero.
vectors <- cbind(0, as.matrix(contrasts[, levels(samples$cell)[-1]]))
test <- function(row) significant(fitted, contrast = unname(vectors[row, ]))

start <- seconds()
fitted <- DESeq(data, quiet = TRUE)
fit <- seconds() - start
numbers <- vapply(which(contrasts$is_simple == "True"), test, 0L)
simple <- seconds() - start
numbers <- c(numbers, vapply(which(contrasts$is_simple != "True"), test, 0L))
if (!anyNA(samples$time)) {
  samples$time <- factor(samples$time)
  full <- model.matrix(~ arm * time, samples)
  for (reduced in c(~time, ~ arm + time)) {
    tested <- nbinomLRT(fitted, full = full, reduced = model.matrix(reduced, samples), quiet = TRUE)
    numbers <- c(numbers, significant(tested))
  }
}
all <- seconds() - start
cat(sprintf('{"fit": %.3f, "simple": %.3f, "all": %.3f, "significant": [%s], "r": "%s.%s", "deseq2": "%s"}\n', fit, simple,
            all, paste(numbers, collapse = ", "), R.version$major, R.version$minor, packageVersion("DESeq2")))
