"""Reports: a page for each dataset with figures and a supplement, one for the study, and the record of what made them.

Inputs: everything above.
Outputs: report.html, figures/ and supplement.xlsx of each dataset; report.html of the study, provenance/.
Steps: report_dataset; export_figures; write_supplement; report_overview; record_provenance.
"""


rule report_dataset:
    message:
        "Report dataset {wildcards.dataset}"
    input:
        files=wire.files(rules.simulate_dataset.output),
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
        page=report("<results>/datasets/{dataset}/report.html", **in_report("page")),
        figures=temp(directory("<results>/datasets/{dataset}/pictures")),  # figures/ has them beside PDF and PNG
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


rule export_figures:
    message:
        "Draw the figures of {wildcards.dataset} for papers"
    input:
        pictures=rules.report_dataset.output.figures,
    output:
        figures=report(directory("<results>/datasets/{dataset}/figures"), **in_report("figures")),
    log:
        "<logs>/export_figures/{dataset}.log",
    benchmark:
        "<benchmarks>/export_figures/{dataset}.tsv"
    priority: -1  # no page waits for them
    conda:
        "../../environment.yml"
    params:
        code=code_of("export_figures"),
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    script:
        "../scripts/export_figures.py"


rule write_supplement:
    message:
        "Write the supplement of {wildcards.dataset}"
    input:
        check=rules.check_dataset.output.check,
        preflight=ancient(rules.preflight.output.preflight),
        arrays=rules.fit_model.output.arrays,
        design=rules.fit_model.output.design,
        contrasts=rules.estimate_contrasts.output.folder,
        index=rules.estimate_contrasts.output.index,
        enrichment=expand(rules.enrich_contrasts.output.enrichment, collection=wire.collections, allow_missing=True),
        effects=rules.score_programmes.output.effects,
        changes=rules.score_programmes.output.changes,
        trajectories=rules.compare_timepoints.output.trajectories,
        rescue=rules.score_rescue.output.programmes,
        rescue_genes=rules.score_rescue.output.genes,
        panel=rules.score_panel.output.panel,
    output:
        workbook=report("<results>/datasets/{dataset}/supplement.xlsx", **in_report("supplement")),
    log:
        "<logs>/write_supplement/{dataset}.log",
    benchmark:
        "<benchmarks>/write_supplement/{dataset}.tsv"
    priority: -1  # no page waits for it
    conda:
        "../../environment.yml"
    params:
        facts=wire.facts,
        collections=list(wire.collections),
        settings=wire.page_settings,
        code=code_of("write_supplement"),
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    script:
        "../scripts/write_supplement.py"


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
        rescue=expand(rules.score_rescue.output.programmes, dataset=wire.datasets),
        slopes=expand(rules.score_rescue.output.summary, dataset=wire.datasets),
    output:
        page=report("<results>/report.html", **in_report("overview")),
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
        methods=report("<results>/provenance/methods.md", **in_report("methods")),
        software=report("<results>/provenance/software.tsv", **in_report("software")),
        inputs=report("<results>/provenance/inputs.tsv", **in_report("inputs")),
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
