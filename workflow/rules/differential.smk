"""Differential expression: one fit for each dataset, its normalised expression, and every contrast on that fit.

Inputs: counts.h5ad.
Outputs: model/, normalised.h5ad, contrasts/ with their index contrasts.json.
Steps: fit_model; normalise_counts; estimate_contrasts.
"""


rule fit_model:
    message:
        "Fit the model of {wildcards.dataset}"
    input:
        counts=rules.import_counts.output.counts,
        preflight=ancient(rules.preflight.output.preflight),
    output:
        arrays="<results>/datasets/{dataset}/model/arrays.npz",
        design="<results>/datasets/{dataset}/model/design.json",
    log:
        "<logs>/fit_model/{dataset}.log",
    benchmark:
        "<benchmarks>/fit_model/{dataset}.tsv"
    conda:
        "../../environment.yml"
    params:
        intake=wire.intake,
        gene_filter=wire.gene_filter,
        code=code_of("fit_model"),
    threads: 2
    resources:
        mem_mb=6000,
        runtime=60,
    script:
        "../scripts/fit_model.py"


rule normalise_counts:
    message:
        "Normalise the counts of {wildcards.dataset}"
    input:
        counts=rules.import_counts.output.counts,
        arrays=rules.fit_model.output.arrays,
        design=rules.fit_model.output.design,
    output:
        normalised="<results>/datasets/{dataset}/normalised.h5ad",
    log:
        "<logs>/normalise_counts/{dataset}.log",
    benchmark:
        "<benchmarks>/normalise_counts/{dataset}.tsv"
    conda:
        "../../environment.yml"
    params:
        code=code_of("normalise_counts"),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    script:
        "../scripts/normalise_counts.py"


rule estimate_contrasts:
    message:
        "Estimate the contrasts of {wildcards.dataset}"
    input:
        counts=rules.import_counts.output.counts,
        arrays=rules.fit_model.output.arrays,
        design=rules.fit_model.output.design,
        preflight=ancient(rules.preflight.output.preflight),
    output:
        folder=directory("<results>/datasets/{dataset}/contrasts"),
        index="<results>/datasets/{dataset}/contrasts.json",
    log:
        "<logs>/estimate_contrasts/{dataset}.log",
    benchmark:
        "<benchmarks>/estimate_contrasts/{dataset}.tsv"
    conda:
        "../../environment.yml"
    params:
        arms=wire.arms,
        unit=wire.unit,
        contrasts=wire.contrasts,
        settings=wire.settings_of("fdr", "log2_fold_change_threshold"),
        code=code_of("estimate_contrasts"),
    threads: 2
    resources:
        mem_mb=4000,
        runtime=20,
    script:
        "../scripts/estimate_contrasts.py"
