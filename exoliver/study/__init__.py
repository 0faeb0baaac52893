"""The study as frozen models: every key a user may write, its meaning and its limits. The door to pydantic.

Reading files is `loading.py`; deriving contrasts is `contrasts.py`. Nothing here opens a file.
"""

from exoliver.roles import TREATED_ROLES
from exoliver.study.arms import Arm, Arms, NoBaseError, base_of, base_or_none
from exoliver.study.base import (
    NAME_SLUG,
    SEPARATOR,
    SLUG,
    each_from_plain,
    export_schema,
    faults_of,
    from_plain,
    plain,
    schema_of,
)
from exoliver.study.dataset import CountsFile, Dataset, ExtraContrast, GeneFilter, Intake, SampleSheet, Time
from exoliver.study.settings import Panel, SetSize, Settings
from exoliver.study.simulation import Simulation

__all__ = [
    "NAME_SLUG",
    "SEPARATOR",
    "SLUG",
    "TREATED_ROLES",
    "Arm",
    "Arms",
    "CountsFile",
    "Dataset",
    "ExtraContrast",
    "GeneFilter",
    "Intake",
    "NoBaseError",
    "Panel",
    "SampleSheet",
    "SetSize",
    "Settings",
    "Simulation",
    "Time",
    "base_of",
    "base_or_none",
    "each_from_plain",
    "export_schema",
    "faults_of",
    "from_plain",
    "plain",
    "schema_of",
]
