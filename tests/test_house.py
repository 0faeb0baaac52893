"""The rules of the house, as far as a machine can see them: names, doors, paths, sizes, words."""

import ast
import graphlib
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.snakefiles import Rule, read_rules, without_comments
from tests.sources import (
    MODULES,
    OWN_FILES,
    PACKAGE,
    ROOT,
    docstrings_of,
    hits,
    imports_of,
    literals_of,
    own_files,
    own_imports,
    parsed,
    where,
)

RULE_FILES = [
    ROOT / "workflow" / "rules" / f"{name}.smk"
    for name in ("dataset", "differential", "enrichment", "programmes", "report")
]
SCRIPTS = ROOT / "workflow" / "scripts"
TEMPLATES = PACKAGE / "report" / "templates"
METHODS = TEMPLATES / "methods.md.j2"

COMPILED = "exoliver.inference.kernels"

BLOCK_ORDER = (
    "message",
    "input",
    "output",
    "log",
    "benchmark",
    "priority",
    "conda",
    "params",
    "threads",
    "resources",
    "script",
)
WILDCARDS = {"dataset", "collection"}

# Which modules may import a library, by the start of their names.
DOORS = {
    "scanpy": ("exoliver.normalise",),
    "pydeseq2": ("exoliver.differential", "exoliver.inference"),
    "gseapy": ("exoliver.enrichment",),
    "altair": ("exoliver.figures",),
    "vl_convert": ("exoliver.figures",),
    "jinja2": ("exoliver.report.render",),
    "itables": ("exoliver.report.libraries",),
    "anndata": ("exoliver.store", "exoliver.normalise"),
    "pydantic": ("exoliver.study",),
    "pydantic_core": ("exoliver.study",),
    "yaml": ("exoliver.strict_yaml",),
    "pickle": (),
}
# Imports point from later layers to earlier ones, or stay within one; what is not named is a subject.
LAYERS = (
    {"problems", "roles"},
    {"strict_yaml", "explain", "collections", "fingerprint", "running"},
    {"study"},
    {"loading", "contrasts", "tables", "model", "store"},
    {"SUBJECTS"},
    {"figures"},
    {"report", "provenance"},
    {"wiring", "__main__"},
)
WIRING_MAY_IMPORT = {"study", "problems", "fingerprint", "loading", "contrasts", "collections"}
HEAVY = (
    "numpy",
    "pandas",
    "scipy",
    "scanpy",
    "anndata",
    "pydeseq2",
    "gseapy",
    "altair",
    "statsmodels",
    "sklearn",
    "matplotlib",
)

RULES: list[Rule] = [rule for file in RULE_FILES if file.is_file() for rule in read_rules(file)]


@pytest.mark.parametrize("file", RULE_FILES, ids=lambda file: file.stem)
def test_a_rule_file_opens_with_its_contract_and_holds_rules_only(file: Path) -> None:
    """Comments or a docstring first, then rules; no function, condition, `run:` or `shell:`."""
    text = file.read_text(encoding="utf-8")
    assert re.match(r'#|"""', text), "it opens with its contract: purpose, inputs, outputs, steps"
    code = without_comments(re.sub(r'\A""".*?"""', "", text, flags=re.DOTALL))
    logic = r"^\s*(?:(?:def|if|for|while|import|from)\b|(?:run|shell)\s*:).*|.*\blambda\b.*"
    assert re.findall(logic, code, flags=re.MULTILINE) == []
    assert [
        line for line in code.splitlines() if re.match(r"\S", line) and not re.match(r"(rule|checkpoint) \w+:", line)
    ] == []


def test_rule_names_are_unique_and_read_verb_object() -> None:
    """Every rule has its own name of small letters; all of them but `preflight` have a verb and an object."""
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names)) > 0
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+|preflight", name)] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
class TestRule:
    """What holds for each rule."""

    def test_script_log_and_benchmark_have_its_name(self, rule: Rule) -> None:
        """One name for the rule, its script, its log folder and its benchmark folder."""
        assert rule.strings("script") == [f"../scripts/{rule.name}.py"]
        for block in ("log", "benchmark"):
            folders = [re.match(rf"(?:<{block}s>|{block}s?s)/([^/]+)/", text) for text in rule.strings(block)]
            assert [folder and folder[1] for folder in folders] == [rule.name], block

    def test_blocks_are_in_order(self, rule: Rule) -> None:
        """The blocks come in the order of the house, and no other block is used."""
        assert [block for block in BLOCK_ORDER if block in rule.blocks] == list(rule.blocks)

    def test_it_says_what_it_does_in_one_sentence(self, rule: Rule) -> None:
        """`message` is there."""
        assert len(rule.strings("message")) == 1

    def test_inputs_outputs_and_params_are_named(self, rule: Rule) -> None:
        """No input, output or parameter goes by its position."""
        items = [item for block in ("input", "output", "params") for item in rule.items(block)]
        assert [item for item in items if not re.match(r"\w+\s*=|\*\*", item)] == []

    def test_its_code_is_watched(self, rule: Rule) -> None:
        """`code=code_of(...)` of its own name is among the params, since Snakemake watches the script alone."""
        assert f'code=code_of("{rule.name}")' in rule.items("params")

    def test_wildcards_are_dataset_and_collection(self, rule: Rule) -> None:
        """Time points and contrasts are data, not wildcards."""
        paths = [text for block in ("input", "output", "log", "benchmark") for text in rule.strings(block)]
        assert {name for text in paths for name in re.findall(r"\{(\w+)", text)} <= WILDCARDS

    def test_it_takes_result_paths_from_other_rules(self, rule: Rule) -> None:
        """A path under the results is typed where it is made, and nowhere else."""
        assert [text for text in rule.strings("input") if re.match(r"<\w+>|results/|logs/", text)] == []

    def test_it_is_short_and_has_the_one_environment(self, rule: Rule) -> None:
        """At most 30 lines beside its inputs, and `environment.yml` for conda."""
        assert rule.lines - len(rule.blocks.get("input", "").splitlines()) <= 30
        assert rule.strings("conda") == ["../../environment.yml"]


def test_no_output_is_typed_twice() -> None:
    """Each output path belongs to one rule."""
    outputs = [text for rule in RULES for text in rule.strings("output")]
    assert sorted(outputs) == sorted(set(outputs))


def test_every_rule_has_one_script_and_every_script_a_rule() -> None:
    """The scripts are the rules."""
    assert sorted(path.stem for path in SCRIPTS.glob("*")) == sorted(rule.name for rule in RULES)


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
class TestScript:
    """What holds for each script."""

    def test_it_reads_calls_and_writes(self, script: Path) -> None:
        """A docstring, imports from exoliver and one `with logged(snakemake.log[0]):`."""
        docstring, *rest = parsed(script).body
        *imports, block = rest
        assert isinstance(docstring, ast.Expr)
        assert all(isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "exoliver" for node in imports)
        assert isinstance(block, ast.With)
        assert [ast.unparse(item) for item in block.items] == ["logged(snakemake.log[0])"]

    def test_it_decides_nothing(self, script: Path) -> None:
        """No definition, condition, loop or attempt, no number and no name of a column."""
        tree = parsed(script)
        logic = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.If, ast.IfExp, ast.For, ast.While, ast.Try, ast.Match)
        assert [where(script, node.lineno) for node in ast.walk(tree) if isinstance(node, logic)] == []
        docs = docstrings_of(tree)
        constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docs]
        log = [node.slice for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
        loose = [node for node in constants if node not in log and node.value not in (None, True, False)]
        assert [f"{where(script, node.lineno)}: {node.value!r}" for node in loose] == []

    def test_it_is_short(self, script: Path) -> None:
        """About ten lines; twenty are too many."""
        lines = [line for line in script.read_text(encoding="utf-8").splitlines() if line.strip()]
        assert len(lines) <= 25


def test_the_snakefile_is_an_entry_and_no_more() -> None:
    """At most 50 lines, without a `configfile:` directive that would leak the default study into others."""
    text = (ROOT / "Snakefile").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 50
    assert re.findall(r"^\s*configfile\s*:", text, flags=re.MULTILINE) == []


def test_the_second_snakefile_includes_and_names_the_target() -> None:
    """An included default target is dropped by Snakemake, so that it is named again."""
    lines = [line for line in (ROOT / "workflow" / "Snakefile").read_text(encoding="utf-8").splitlines() if line]
    assert lines == ['include: "../Snakefile"', 'workflow.default_target = "all"']


def test_the_default_profile_holds_keep_going_alone() -> None:
    """It overrides other profiles key by key; the Slurm profile therefore says it too."""
    profiles = {
        name: yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text()) for name in ("default", "slurm")
    }
    assert profiles["default"] == {"keep-going": True}
    assert profiles["slurm"]["keep-going"] is True
    assert re.search("account|partition", str(profiles["slurm"])) is None


def test_every_heavy_library_has_one_door() -> None:
    """A library is imported by its own module and by no other."""
    trespassers = []
    for module, path in MODULES.items():
        for library in {name.split(".")[0] for name in imports_of(path)} & DOORS.keys():
            doors = DOORS[library]
            if not any(module == door or module.startswith(f"{door}.") for door in doors):
                trespassers.append(f"{module} imports {library}; its door is {', '.join(doors) or 'shut'}")
    assert trespassers == []


def test_imports_are_absolute() -> None:
    """No import begins with a dot."""
    relative = [
        where(path, node.lineno)
        for path in own_files("*.py")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def layer_of(module: str) -> int:
    """Number of a module's layer; subjects are those that no layer names."""
    part = module.split(".")[1] if "." in module else module
    named = [number for number, names in enumerate(LAYERS) if part in names]
    return (named or [number for number, names in enumerate(LAYERS) if "SUBJECTS" in names])[0]


def test_imports_point_one_way() -> None:
    """Problems <- study <- tables, store <- subjects <- figures <- report; nothing imports what is built on it."""
    upwards = [
        f"{module} imports {other}"
        for module, path in MODULES.items()
        for other in sorted(own_imports(path) - {"exoliver"})
        if layer_of(other) > layer_of(module)
    ]
    assert upwards == []


def test_no_modules_import_each_other() -> None:
    """The imports of the package have no cycle."""
    graph = {module: own_imports(path) - {module} for module, path in MODULES.items()}
    graphlib.TopologicalSorter(graph).prepare()


def test_wiring_imports_what_is_light() -> None:
    """Of the package: the study, its problems, its contrasts and the fingerprint."""
    parts = {name.split(".")[1] for name in own_imports(MODULES["exoliver.wiring"])}
    assert parts <= WIRING_MAY_IMPORT


def test_importing_wiring_is_quick_and_loads_no_heavy_library() -> None:
    """Every job on a cluster parses the workflow again: under one second, at the best of three."""
    code = (
        "import sys, time; start = time.perf_counter(); import exoliver.wiring; "
        f"print(time.perf_counter() - start, *sorted(set({HEAVY}) & set(sys.modules)))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(3)
    ]
    assert [heavy for _, *heavy in runs] == [[], [], []]
    assert min(float(seconds) for seconds, *_ in runs) < 1


def test_wiring_holds_no_path() -> None:
    """Rule files know where; wiring knows which."""
    path = MODULES["exoliver.wiring"]
    shape = re.compile(r"^[^\s]*/|\.(tsv|json|h5ad|npz|html|svg|gz|yaml|csv|md)\b")
    assert [
        f"{where(path, node.lineno)}: {node.value!r}" for node in literals_of(path) if shape.search(node.value)
    ] == []


def functions_of(path: Path) -> list[tuple[str, int]]:
    """Place and length of the body, without its docstring, of every function of a file."""
    tree = parsed(path)
    docs = docstrings_of(tree)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    sizes = []
    for node in functions:
        has_doc = isinstance(node.body[0], ast.Expr) and id(node.body[0].value) in docs
        first = node.body[0].end_lineno + 1 if has_doc else node.body[0].lineno
        sizes.append((f"{where(path, node.lineno)} {node.name}", node.end_lineno - first + 1))
    return sizes


def test_functions_are_short() -> None:
    """Bodies: no more than 15 lines at the median, none over 50."""
    sizes = [size for path in MODULES.values() for size in functions_of(path)]
    assert [f"{place}: {length} lines" for place, length in sizes if length > 50] == []
    assert statistics.median(length for _, length in sizes) <= 15


def test_modules_are_short() -> None:
    """No module of the package is over 400 lines; compiled code must stay together, for the sake of its cache."""
    lengths = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in MODULES.items()}
    most = {module: 500 if module == COMPILED else 400 for module in MODULES}
    assert {module: length for module, length in lengths.items() if length > most[module]} == {}


def test_compiled_code_is_in_one_module() -> None:
    """The cache of numba does not see a change of a compiled function that is called from another file."""
    assert [module for module, path in MODULES.items() if "numba.njit" in imports_of(path)] == [COMPILED]


def test_further_arguments_are_named_at_the_call() -> None:
    """Public functions take at most two arguments by position; compiled ones know no other way."""
    loose = []
    for module, path in MODULES.items():
        if module == COMPILED:
            continue
        for node in parsed(path).body:
            is_public = isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
            if is_public and len(node.args.posonlyargs + node.args.args) > 2:
                loose.append(f"{where(path, node.lineno)} {node.name}")
    assert loose == []


def test_no_trouble_is_swallowed() -> None:
    """No bare `except`, no `except Exception`, and no `assert` in the package."""
    assert hits(r"^\s*except\s*(?:\(?\s*(?:Base)?Exception\b.*)?:|^\s*assert\b", list(MODULES.values())) == []


def test_exoliver_cannot_be_installed() -> None:
    """pyproject.toml has tool settings only, so that no installed copy can win over the clone."""
    assert hits(r"^\[(?!tool\.)", [ROOT / "pyproject.toml"]) == []
    assert [name for name in ("setup.py", "setup.cfg", "MANIFEST.in") if (ROOT / name).exists()] == []


def test_html_is_in_templates_only() -> None:
    """No module writes a tag of a page; SVG belongs to the figures."""
    tag = re.compile(
        r"</?(?:html|head|body|div|span|p|a|b|i|em|strong|ul|ol|li|h[1-6]|table|tr|td|th|section|br|img)\b[^<]*>"
    )
    found = [
        f"{where(path, node.lineno)}: {node.value[:60]!r}"
        for path in MODULES.values()
        for node in literals_of(path)
        if tag.search(node.value)
    ]
    assert found == []


def test_templates_are_escaped_and_strict() -> None:
    """Autoescape is on, and a name or asset that is missing is an error."""
    code = MODULES["exoliver.report.render"].read_text(encoding="utf-8")
    assert re.search(r"autoescape\s*=\s*(True|select_autoescape\()", code)
    assert re.search(r"undefined\s*=\s*(jinja2\.)?StrictUndefined", code)
    assert hits(r"autoescape\s+false|Markup\(", [*own_files("*.j2", "*.html"), *MODULES.values()]) == []


def test_only_figures_and_assets_are_marked_safe() -> None:
    """`|safe` follows an SVG or an asset of ours, and nothing that a user wrote."""
    templates = [path for path in own_files("*.j2", "*.html") if TEMPLATES in path.parents]
    text = "\n".join(path.read_text(encoding="utf-8") for path in templates)
    marked = re.findall(r"\{\{[-\s]*([^{}|]*?)\s*\|\s*safe\b", text)
    assert len(marked) == len(re.findall(r"\|\s*safe\b", text)), "`|safe` comes first after the name"
    assert [name for name in marked if not re.search(r"svg|assets?\b", name)] == []


def marked_sentences(path: Path) -> dict[str, str]:
    """Place by text of each comment that marks an assumption or a limit, with the comment lines that continue it."""
    found: dict[str, str] = {}
    text, place = "", ""
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), ""], start=1):
        marked = re.search(r"#\s*(?:ASSUME|LIMIT):\s*(.+)$", line)
        continued = re.fullmatch(r"\s*#\s*(\S.*)", line)
        if text and continued and not marked:
            text += " " + continued[1].strip()
            continue
        if text:
            found[text] = place
        text, place = (marked[1].strip(), where(path, number)) if marked else ("", "")
    return found


def test_assumptions_and_limits_are_in_the_methods_text() -> None:
    """Each `# ASSUME:` and `# LIMIT:` sentence stands, word for word, where the reader of the report finds it."""
    sentences = {text: place for path in MODULES.values() for text, place in marked_sentences(path).items()}
    methods = " ".join(METHODS.read_text(encoding="utf-8").split())
    assert sentences, "no assumption is marked in the code"
    assert {sentence: place for sentence, place in sentences.items() if sentence not in methods} == {}


def test_the_architecture_page_lists_the_rules() -> None:
    """The first code word of the rows of its table is a rule, and each rule has its row."""
    rows = re.findall(
        r"^\|[^|]*\|\s*`(\w+)`", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(rows) == sorted(rule.name for rule in RULES)


@pytest.mark.parametrize(("model", "file"), [("Settings", "study.schema.json"), ("Dataset", "dataset.schema.json")])
def test_the_exported_schemas_are_those_of_the_models(model: str, file: str, fix: bool) -> None:
    """config/*.schema.json is what the models say; `pytest --fix` writes it."""
    from exoliver import study

    path = ROOT / "config" / file
    text = study.export_schema(getattr(study, model))
    if fix:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_nothing_is_left_unfinished() -> None:
    """No marker of work to be done is in code, rules or pages."""
    words = ("TO.DO", "FIX.ME", "X.XX", "NotImplemented.Error", "coming. soon", "place.holder")
    pattern = "|".join(word.replace(".", "") for word in words)
    assert (
        hits(rf"\b({pattern})\b", own_files("*.py", "*.smk", "Snakefile", "*.j2", "*.html"), flags=re.IGNORECASE) == []
    )


def test_no_path_of_a_machine_is_written_down() -> None:
    """Paths are relative: no home or working folder of somebody's machine."""
    assert hits(r"(?<![\w.>}])/(?:work|farm|root|home|Users|mnt|tmp)/", own_files(*OWN_FILES)) == []


def test_every_test_is_a_statement_with_one_sentence() -> None:
    """A test has a name of several words and a docstring."""
    short = [
        f"{where(path, node.lineno)} {node.name}"
        for path in own_files("test_*.py")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        if node.name.count("_") < 3 or not ast.get_docstring(node)
    ]
    assert short == []
