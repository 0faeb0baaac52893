"""Counts per million of well-known genes in the healthy liver, for simulated datasets.

A table of facts; knows nothing of files and of how counts are drawn.
"""

from collections.abc import Mapping
from types import MappingProxyType

# By symbol in capitals: the species' own, or else that of its human ortholog. Secreted proteins: order
# and size as seen in both liver matrices of ../shared/data, one digit. Apoptosis genes: biology.md section 9 and both
# matrices. Then markers that are scarce in the healthy liver.
STRONG_AND_MARKERS: Mapping[str, float] = MappingProxyType({
    "ALB": 6e4, "TF": 2e4, "APOE": 2e4, "APOA1": 1e4, "C3": 1e4, "HP": 8e3, "AHSG": 8e3, "HPX": 7e3, "FGB": 7e3,
    "FGA": 7e3, "TTR": 5e3, "GC": 5e3, "APOB": 5e3, "APOA2": 5e3, "FGG": 5e3, "CYP2E1": 5e3, "SERPINA1": 5e3,
    "SERPINA1A": 2e3, "SERPINA1B": 5e3, "SERPINA1C": 3e3, "SERPINA1D": 3e3, "SERPINA1E": 1e4,
    "ALDOB": 4e3, "FABP1": 4e3, "AMBP": 4e3, "SELENOP": 4e3, "CPS1": 3e3, "PLG": 3e3, "VTN": 3e3, "HMGCS2": 3e3,
    "MCL1": 81, "CFLAR": 78, "BCL2L1": 48, "XIAP": 90, "BCL2L2": 20, "BIRC2": 20, "BAX": 10, "BAK1": 15, "BID": 9,
    "FAS": 18, "CASP3": 20, "CASP8": 25, "CASP9": 20, "BIRC5": 1.7, "BCL2": 1.4, "ADGRE1": 10, "PTPRC": 7, "MKI67": 4,
    "CD3E": 0.3,
})  # fmt: skip

# The other members of the shipped programmes that are below 20 counts per million in the healthy livers of
# ../shared/data/dlpc_mouse_liver: median of 7, rounded to one digit, at least 0.1 so that the gene exists.
SCARCE_MEMBERS: Mapping[float, str] = MappingProxyType({
    0.1: "BCL2A1 BCL2A1A BCL2A1B BCL2A1D CCL20 CCL3 CCL4 CCL7 CSF2 CSF3 CXCL2 CXCL3 CXCR2 FASLG HRK IL6 NOS2 OSM PTGS2 "
         "PTX3 SELE TNF",
    0.2: "CCL2",
    0.3: "S100A8",
    0.4: "PMAIP1 TNFRSF10B",
    0.5: "S100A9",
    0.6: "CCL5 NLRP3",
    0.7: "NOL3 SELP",
    0.8: "CCR2 IL1B TLR4",
    0.9: "TLR2",
    1.0: "CXCL10",
    2.0: "APAF1 BIK CD14 CXCL1 DIABLO IL1A RELB TNFAIP8 TNFSF10",
    3.0: "ATG10 DFFB LY96 PIDD1 TNFAIP3",
    4.0: "BCL2L11 CASP2",
    6.0: "BMF CSF1 FAIM XAF1",
    7.0: "ICAM1 TFEB",
    8.0: "BBC3 HEXB SGSH",
    9.0: "CXCL9 FADD IL18 TRADD",
    10.0: "BAD BIRC3 BOK CRADD HTRA2 NFKB2 PEA15 VCAM1 WDR45",
    20.0: "ATG14 AVEN CASP6 CASP7 CIAPIN1 DFFA IRF1 MYD88 NRBF2 PIK3C3 VPS18",
})  # fmt: skip

KNOWN_CPM: Mapping[str, float] = MappingProxyType(
    {**STRONG_AND_MARKERS, **{symbol: cpm for cpm, symbols in SCARCE_MEMBERS.items() for symbol in symbols.split()}}
)
