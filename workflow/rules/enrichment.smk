"""Enrichment: gene sets of a dataset, and their place in the ranking of every contrast.

Inputs: counts.h5ad, the fit, contrasts/, a collection of gene sets.
Outputs: gene_sets/, enrichment/ (GSEA), overrepresentation/ (ORA) and exports/ for each collection.
Steps: map_gene_sets; enrich_contrasts.
"""


rule map_gene_sets:
    message:
        "Map {wildcards.collection} to the genes of {wildcards.dataset}"
    input:
        counts=rules.import_counts.output.counts,
        arrays=rules.fit_model.output.arrays,
        design=rules.fit_model.output.design,
        files=wire.gene_set_files,
        preflight=ancient(rules.preflight.output.preflight),
    output:
        gene_sets="<results>/datasets/{dataset}/gene_sets/{collection}.tsv",
        entry="<results>/datasets/{dataset}/gene_sets/{collection}.json",
    log:
        "<logs>/map_gene_sets/{dataset}/{collection}.log",
    benchmark:
        "<benchmarks>/map_gene_sets/{dataset}/{collection}.tsv"
    conda:
        "../../environment.yml"
    params:
        collection=wire.collection,
        facts=wire.collection_facts,
        organism=wire.organism,
        own_genes=wire.own_genes,
        code=code_of("map_gene_sets"),
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    script:
        "../scripts/map_gene_sets.py"


rule enrich_contrasts:
    message:
        "Enrich {wildcards.collection} in the contrasts of {wildcards.dataset}"
    input:
        contrasts=rules.estimate_contrasts.output.folder,
        index=rules.estimate_contrasts.output.index,
        gene_sets=rules.map_gene_sets.output.gene_sets,
        entry=rules.map_gene_sets.output.entry,
    output:
        enrichment=directory("<results>/datasets/{dataset}/enrichment/{collection}"),
        overrepresentation=directory("<results>/datasets/{dataset}/overrepresentation/{collection}"),
        exports=directory("<results>/datasets/{dataset}/exports/{collection}"),
    log:
        "<logs>/enrich_contrasts/{dataset}/{collection}.log",
    benchmark:
        "<benchmarks>/enrich_contrasts/{dataset}/{collection}.tsv"
    priority: 1  # the longest of the last steps: started before the short ones that the report waits for as well
    conda:
        "../../environment.yml"
    params:
        settings=wire.settings_of("set_size", "seed", "fdr"),
        code=code_of("enrich_contrasts"),
    threads: wire.enrichment_threads
    resources:
        mem_mb=2000,
        runtime=60,
    script:
        "../scripts/enrich_contrasts.py"
