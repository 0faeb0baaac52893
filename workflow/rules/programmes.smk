"""Programmes: their effects, over time, against the injury, and the apoptosis genes one by one.

Inputs: contrasts/, normalised.h5ad, the fit, gene_sets/.
Outputs: programmes/, timepoints/, rescue/, panel.tsv, genes/.
Steps: score_programmes; compare_timepoints; score_rescue; score_panel.
"""


rule score_programmes:
    message:
        "Score the programmes of {wildcards.dataset}"
    input:
        normalised=rules.normalise_counts.output.normalised,
        arrays=rules.fit_model.output.arrays,
        design=rules.fit_model.output.design,
        index=rules.estimate_contrasts.output.index,
        gene_sets=expand(rules.map_gene_sets.output.gene_sets, collection=wire.scored, allow_missing=True),
        entries=expand(rules.map_gene_sets.output.entry, collection=wire.scored, allow_missing=True),
    output:
        scores="<results>/datasets/{dataset}/programmes/scores.tsv",
        effects=report("<results>/datasets/{dataset}/programmes/effects.tsv", **in_report("effects")),
        changes="<results>/datasets/{dataset}/programmes/changes.tsv",
        beside="<results>/datasets/{dataset}/programmes/beside.tsv",
        equivalence="<results>/datasets/{dataset}/programmes/equivalence.tsv",
        programmes="<results>/datasets/{dataset}/programmes/programmes.tsv",
        fit="<results>/datasets/{dataset}/programmes/fit.npz",
    log:
        "<logs>/score_programmes/{dataset}.log",
    benchmark:
        "<benchmarks>/score_programmes/{dataset}.tsv"
    conda:
        "../../environment.yml"
    params:
        system=wire.system,
        settings=wire.settings_of("set_size", "fdr", "equivalence_margin"),
        code=code_of("score_programmes"),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    script:
        "../scripts/score_programmes.py"


rule compare_timepoints:
    message:
        "Compare the time points of {wildcards.dataset}"
    input:
        arrays=rules.fit_model.output.arrays,
        design=rules.fit_model.output.design,
        contrasts=rules.estimate_contrasts.output.folder,
        index=rules.estimate_contrasts.output.index,
        fit=rules.score_programmes.output.fit,
        programmes=rules.score_programmes.output.programmes,
    output:
        genes="<results>/datasets/{dataset}/timepoints/genes.tsv",
        trajectories=report("<results>/datasets/{dataset}/programmes/trajectories.tsv", **in_report("trajectories")),
    log:
        "<logs>/compare_timepoints/{dataset}.log",
    benchmark:
        "<benchmarks>/compare_timepoints/{dataset}.tsv"
    conda:
        "../../environment.yml"
    params:
        settings=wire.settings_of("fdr"),
        code=code_of("compare_timepoints"),
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    script:
        "../scripts/compare_timepoints.py"


rule score_rescue:
    message:
        "Set the treatment of {wildcards.dataset} against its injury"
    input:
        normalised=rules.normalise_counts.output.normalised,
        arrays=rules.fit_model.output.arrays,
        design=rules.fit_model.output.design,
        index=rules.estimate_contrasts.output.index,
        fit=rules.score_programmes.output.fit,
        programmes=rules.score_programmes.output.programmes,
    output:
        programmes=report("<results>/datasets/{dataset}/rescue/programmes.tsv", **in_report("rescue")),
        comparisons="<results>/datasets/{dataset}/rescue/comparisons.tsv",
        genes="<results>/datasets/{dataset}/rescue/genes.tsv",
        summary="<results>/datasets/{dataset}/rescue/summary.tsv",
    log:
        "<logs>/score_rescue/{dataset}.log",
    benchmark:
        "<benchmarks>/score_rescue/{dataset}.tsv"
    conda:
        "../../environment.yml"
    params:
        settings=wire.settings_of("fdr"),
        code=code_of("score_rescue"),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    script:
        "../scripts/score_rescue.py"


rule score_panel:
    message:
        "Score the apoptosis panel of {wildcards.dataset}"
    input:
        normalised=rules.normalise_counts.output.normalised,
        arrays=rules.fit_model.output.arrays,
        design=rules.fit_model.output.design,
        contrasts=rules.estimate_contrasts.output.folder,
        index=rules.estimate_contrasts.output.index,
        programmes=expand(rules.map_gene_sets.output.gene_sets, collection=wire.markers, allow_missing=True),
        panel=panel_file(),
    output:
        panel=report("<results>/datasets/{dataset}/panel.tsv", **in_report("panel")),
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
