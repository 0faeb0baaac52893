"""exoliver: did the treatment bring the injured liver's survival programmes back towards health?"""

import sys

sys.path.insert(0, workflow.basedir)

from exoliver.captions import in_report
from exoliver.collections import panel_file
from exoliver.fingerprint import code_of
from exoliver.loading import load_study
from exoliver.study import SLUG
from exoliver.wiring import Wiring, study_file

wire = Wiring(load_study(study_file(config, workflow.configfiles, default="config/config.yaml")))


report: "workflow/report/workflow.rst"


pathvars:
    results=wire.results,


wildcard_constraints:
    dataset=SLUG,
    collection=SLUG,


include: "workflow/rules/dataset.smk"
include: "workflow/rules/differential.smk"
include: "workflow/rules/enrichment.smk"
include: "workflow/rules/programmes.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        overview=rules.report_overview.output.page,
        pages=expand(rules.report_dataset.output.page, dataset=wire.datasets),
        figures=expand(rules.export_figures.output.figures, dataset=wire.datasets),
        supplements=expand(rules.write_supplement.output.workbook, dataset=wire.datasets),
        provenance=rules.record_provenance.output,
