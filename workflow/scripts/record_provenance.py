"""Record what made the results: methods, software, inputs, and a crate that names them all."""

from exoliver.provenance import describe_crate, file_digests, software_versions, study_methods
from exoliver.running import logged
from exoliver.tables import INPUTS, SOFTWARE, read_json, write_json, write_table, write_text

with logged(snakemake.log[0]):
    software = software_versions()
    inputs = file_digests(snakemake.input.files)
    designs = list(map(read_json, snakemake.input.designs))
    methods = study_methods(snakemake.params.datasets, designs, settings=snakemake.params.settings)
    write_text(methods, snakemake.output.methods)
    write_table(software, SOFTWARE, path=snakemake.output.software)
    write_table(inputs, INPUTS, path=snakemake.output.inputs)
    outputs = file_digests([snakemake.input.overview, *snakemake.input.pages, snakemake.output.methods])
    crate = describe_crate(
        snakemake.params.settings, software=software, inputs=inputs, outputs=outputs, path=snakemake.output.crate
    )
    write_json(crate, snakemake.output.crate)
