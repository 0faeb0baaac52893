"""Reports: a page for each dataset, one for the study, and the record of what made them.

Inputs: everything above.
Outputs: report.html of each dataset and of the study, provenance/.
Steps: report_dataset; report_overview; record_provenance.
"""


rule report_dataset:
    message:
        "Report dataset {wildcards.dataset}"
    input:
        check=rules.check_dataset.output.check,
        preflight=ancient(rules.preflight.output.preflight),
        identifiers=rules.import_counts.output.identifiers,
        ledger=rules.import_counts.output.ledger,
        normalised=rules.normalise_counts.output.normalised,
        arrays=rules.fit_model.output.arrays,
        design=rules.fit_model.output.design,
        contrasts=rules.estimate_contrasts.output.folder,
        index=rules.estimate_contrasts.output.index,
        gene_sets=expand(rules.map_gene_sets.output.gene_sets, collection=wire.collections, allow_missing=True),
        entries=expand(rules.map_gene_sets.output.entry, collection=wire.collections, allow_missing=True),
        enrichment=expand(rules.enrich_contrasts.output.enrichment, collection=wire.collections, allow_missing=True),
        overrepresentation=expand(
            rules.enrich_contrasts.output.overrepresentation, collection=wire.collections, allow_missing=True
        ),
        effects=rules.score_programmes.output.effects,
        changes=rules.score_programmes.output.changes,
        beside=rules.score_programmes.output.beside,
        beside_entry=expand(rules.map_gene_sets.output.entry, collection=wire.markers, allow_missing=True),
        equivalence=rules.score_programmes.output.equivalence,
        trajectories=rules.compare_timepoints.output.trajectories,
        timepoint_genes=rules.compare_timepoints.output.genes,
        rescue=rules.score_rescue.output.programmes,
        comparisons=rules.score_rescue.output.comparisons,
        rescue_genes=rules.score_rescue.output.genes,
        slopes=rules.score_rescue.output.summary,
        panel=rules.score_panel.output.panel,
        genes=rules.score_panel.output.genes,
    output:
        page="<results>/datasets/{dataset}/report.html",
        figures=directory("<results>/datasets/{dataset}/figures"),
    log:
        "<logs>/report_dataset/{dataset}.log",
    benchmark:
        "<benchmarks>/report_dataset/{dataset}.tsv"
    conda:
        "../../environment.yml"
    params:
        facts=wire.facts,
        collections=list(wire.collections),
        settings=wire.page_settings,
        code=code_of("report_dataset"),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    script:
        "../scripts/report_dataset.py"


rule report_overview:
    message:
        "Report the study"
    input:
        preflight=rules.preflight.output.preflight,
        indexes=expand(rules.estimate_contrasts.output.index, dataset=wire.datasets),
        contrasts=expand(rules.estimate_contrasts.output.folder, dataset=wire.datasets),
        entries=expand(rules.map_gene_sets.output.entry, dataset=wire.datasets, collection=wire.followed),
        effects=expand(rules.score_programmes.output.effects, dataset=wire.datasets),
        changes=expand(rules.score_programmes.output.changes, dataset=wire.datasets),
    output:
        page="<results>/report.html",
    log:
        "<logs>/report_overview/report_overview.log",
    benchmark:
        "<benchmarks>/report_overview/report_overview.tsv"
    priority: -1  # beside the pages of the datasets, which it does not read
    conda:
        "../../environment.yml"
    params:
        datasets=wire.overview,
        settings=wire.settings_of("title", "fdr", "log2_fold_change_threshold"),
        code=code_of("report_overview"),
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    script:
        "../scripts/report_overview.py"


rule record_provenance:
    message:
        "Record what made the results"
    input:
        overview=rules.report_overview.output.page,
        pages=expand(rules.report_dataset.output.page, dataset=wire.datasets),
        designs=expand(rules.fit_model.output.design, dataset=wire.datasets),
        files=wire.inputs,
    output:
        methods="<results>/provenance/methods.md",
        software="<results>/provenance/software.tsv",
        inputs="<results>/provenance/inputs.tsv",
        crate="<results>/provenance/ro-crate-metadata.json",
    log:
        "<logs>/record_provenance/record_provenance.log",
    benchmark:
        "<benchmarks>/record_provenance/record_provenance.tsv"
    conda:
        "../../environment.yml"
    params:
        settings=wire.provenance_settings,
        datasets=wire.overview,
        code=code_of("record_provenance"),
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    script:
        "../scripts/record_provenance.py"
