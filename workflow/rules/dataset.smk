"""Datasets: from the user's files (or a simulation) to one checked count matrix each.

Inputs: the counts and sample sheets that the dataset YAML name.
Outputs: check.json of each dataset, preflight.json of the study, counts.h5ad, identifiers.tsv and ledger.tsv.
Steps: simulate_dataset where asked for; check_dataset; preflight over all; import_counts.

preflight is a checkpoint, and every later rule takes it through ancient(). Behind an input that is being remade, ancient or
not, Snakemake does not look whether a job's own params changed; after a checkpoint it looks again. So an edit that both the
checks and a later stage depend on (a new contrast) reruns that stage, and nothing else.
"""


rule simulate_dataset:
    message:
        "Simulate dataset {wildcards.dataset} with planted truth"
    input:
        resources=wire.simulated_from,
    output:
        counts="<results>/datasets/{dataset}/simulated/counts.tsv.gz",
        samples="<results>/datasets/{dataset}/simulated/samples.tsv",
        programmes="<results>/datasets/{dataset}/simulated/truth_programmes.tsv",
        genes="<results>/datasets/{dataset}/simulated/truth_genes.tsv",
    log:
        "<logs>/simulate_dataset/{dataset}.log",
    benchmark:
        "<benchmarks>/simulate_dataset/{dataset}.tsv"
    conda:
        "../../environment.yml"
    params:
        simulation=wire.simulation,
        organism=wire.organism,
        unit=wire.unit,
        programmes=wire.settings.programmes,
        code=code_of("simulate_dataset"),
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    script:
        "../scripts/simulate_dataset.py"


rule check_dataset:
    message:
        "Check dataset {wildcards.dataset}"
    input:
        files=wire.files(rules.simulate_dataset.output),
        annotation=wire.annotation,
        collections=wire.own_collection_files,
    output:
        check="<results>/datasets/{dataset}/check.json",
    log:
        "<logs>/check_dataset/{dataset}.log",
    benchmark:
        "<benchmarks>/check_dataset/{dataset}.tsv"
    conda:
        "../../environment.yml"
    params:
        problems=wire.problems,
        intake=wire.intake,
        arms=wire.checked_arms,
        contrasts=wire.contrasts,
        gene_filter=wire.gene_filter,
        collections=wire.own_collections,
        genes_of_interest=wire.genes_of_interest,
        sources=wire.sources(rules.simulate_dataset.output),
        code=code_of("check_dataset"),
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    script:
        "../scripts/check_dataset.py"


checkpoint preflight:
    message:
        "Check the study"
    input:
        checks=expand(rules.check_dataset.output.check, dataset=wire.datasets),
    output:
        preflight="<results>/preflight.json",
    log:
        "<logs>/preflight/preflight.log",
    benchmark:
        "<benchmarks>/preflight/preflight.tsv"
    conda:
        "../../environment.yml"
    params:
        problems=wire.study_problems,
        collections=wire.own_collections,
        code=code_of("preflight"),
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    script:
        "../scripts/preflight.py"


rule import_counts:
    message:
        "Import the counts of {wildcards.dataset}"
    input:
        files=wire.files(rules.simulate_dataset.output),
        annotation=wire.annotation,
        preflight=ancient(rules.preflight.output.preflight),
    output:
        counts="<results>/datasets/{dataset}/counts.h5ad",
        identifiers="<results>/datasets/{dataset}/identifiers.tsv",
        ledger="<results>/datasets/{dataset}/ledger.tsv",
    log:
        "<logs>/import_counts/{dataset}.log",
    benchmark:
        "<benchmarks>/import_counts/{dataset}.tsv"
    conda:
        "../../environment.yml"
    params:
        intake=wire.intake,
        sources=wire.sources(rules.simulate_dataset.output),
        code=code_of("import_counts"),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    script:
        "../scripts/import_counts.py"
