"""Programmes: effects over time, and the apoptosis genes one by one.

Inputs: contrasts/, enrichment/, normalised.h5ad, the fit.
Outputs: timepoints/, panel.tsv, genes/.
Steps: compare_timepoints; score_panel.
"""


rule compare_timepoints:
    message:
        "Compare the time points of {wildcards.dataset}"
    input:
        contrasts=rules.estimate_contrasts.output.folder,
        index=rules.estimate_contrasts.output.index,
        enrichment=expand(rules.enrich_contrasts.output.enrichment, collection=wire.collections, allow_missing=True),
    output:
        genes="<results>/datasets/{dataset}/timepoints/genes.tsv",
        gene_sets="<results>/datasets/{dataset}/timepoints/gene_sets.tsv",
    log:
        "<logs>/compare_timepoints/{dataset}.log",
    benchmark:
        "<benchmarks>/compare_timepoints/{dataset}.tsv"
    conda:
        "../../environment.yml"
    params:
        collections=list(wire.collections),
        settings=wire.settings_of("fdr"),
        code=code_of("compare_timepoints"),
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    script:
        "../scripts/compare_timepoints.py"


rule score_panel:
    message:
        "Score the apoptosis panel of {wildcards.dataset}"
    input:
        normalised=rules.normalise_counts.output.normalised,
        arrays=rules.fit_model.output.arrays,
        design=rules.fit_model.output.design,
        contrasts=rules.estimate_contrasts.output.folder,
        index=rules.estimate_contrasts.output.index,
        panel=panel_file(),
    output:
        panel="<results>/datasets/{dataset}/panel.tsv",
        genes=directory("<results>/datasets/{dataset}/genes"),
    log:
        "<logs>/score_panel/{dataset}.log",
    benchmark:
        "<benchmarks>/score_panel/{dataset}.tsv"
    conda:
        "../../environment.yml"
    params:
        organism=wire.organism,
        settings=wire.settings_of("panel", "genes_of_interest"),
        code=code_of("score_panel"),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    script:
        "../scripts/score_panel.py"
