"""Every file, module, name, variable, heading and picture that a page names is there."""

from __future__ import annotations

import ast
import builtins
import functools
import importlib
import importlib.util
import re

import pytest
from page_parts import LIVING, PAGES, ROOT, code_spans, fences, text_of

from digitrec import errors
from digitrec.commands.config import VARIABLES

SOURCES = [
    path
    for folder in ("digitrec", "tests", "bench", "docs", "deploy", "samples", "examples", "notebooks")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".js", ".html", ".css", ".ipynb", ".json", ".yaml", ".sh"} and path.is_file()
] + [ROOT / name for name in ("setup.cfg", "justfile", "Dockerfile", "render.yaml", "noxfile.py")]
FOLDERS = ("digitrec/", "tests/", "bench/", "docs/", "deploy/", "samples/", "examples/", "notebooks/", ".ci/")
IDENTIFIER = re.compile(r"(?<![\w-])_?[A-Za-z][a-z]*(?:_[A-Za-z_]\w*|[A-Z]\w*[a-z]\w*)(?![\w-])")
"""What looks like a name in code: with an underscore or a capital in its middle."""
RUN = re.compile(r"python3? ((?:bench|docs|deploy|samples)/\S+\.py)")
OURS = re.compile(r"(?<![/\w])digitrec(?:\.(?!json\b)[A-Za-z_]\w*)+")
OTHERS = {
    "ECSCluster", "FargateCluster", "GCPCluster", "AzureVMCluster", "dask_cloudprovider", "worker_nthreads",
    "mount_points", "docker_image", "worker_options",  # of Dask's cloud providers
    "load_data", "load_model", "digit_recog_mnist_cnn", "final_complex_cnn", "mnist_cnn", "mnist_cnn_model",
    "handwritten_digit_recognition", "epic_num_reader",  # of the tutorials
    "PROJECT_ID", "_KEY", "proxy_set_header", "AISERVICES_OPT_OUT_POLICY", "DeveloperTools",  # of the vendors
}  # fmt: skip
"""Names of other people's programs, which our sources have no need to say."""


@functools.cache
def words() -> frozenset[str]:
    """Every word of the sources but this test."""
    text = " ".join(path.read_text("utf-8") for path in SOURCES if path.name != "test_names.py")
    names = {path.stem for folder in FOLDERS for path in (ROOT / folder).rglob("*")}
    return frozenset(re.findall(r"\w+", text)) | names


@pytest.mark.parametrize("page", LIVING)
def test_every_path_of_the_repository_exists(page: str) -> None:
    named = {
        span.rstrip("/")
        for span in code_spans(page)
        if span.startswith(FOLDERS) and " " not in span and not re.search(r"\b[A-Z]{3,}\b|<", span)
    }
    assert [name for name in sorted(named) if not list(ROOT.glob(name))] == []


@pytest.mark.parametrize("page", LIVING)
def test_every_script_that_is_named_exists(page: str) -> None:
    lines = [*code_spans(page), *fences(page, "sh", "console", "")]
    run = {script for line in lines for script in RUN.findall(line)}
    assert [script for script in sorted(run) if not (ROOT / script).is_file()] == []


@pytest.mark.parametrize("page", LIVING)
def test_every_variable_of_ours_is_one(page: str) -> None:
    named = set(re.findall(r"DIGITREC_[A-Z_]+", text_of(page)))
    assert sorted(named - set(VARIABLES)) == []


@pytest.mark.parametrize("page", LIVING)
def test_every_module_and_name_in_it_is_there(page: str) -> None:
    named = {name for span in code_spans(page) for name in OURS.findall(span)}
    assert [name for name in sorted(named) if not found(name)] == []


def found(name: str) -> bool:
    """Whether a dotted name is a module, a name in one, or a field of a class in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            here: object = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for attribute in parts[length:]:
            fields = getattr(here, "__dataclass_fields__", {})
            if not hasattr(here, attribute) and attribute not in fields:
                return False
            here = getattr(here, attribute, None)
        return True
    return False


@pytest.mark.parametrize("page", LIVING)
def test_every_name_of_code_stands_in_the_code(page: str) -> None:
    named = {found for span in code_spans(page) for found in IDENTIFIER.findall(span)}
    known = words() | OTHERS
    assert (
        sorted(name for name in named if name not in known and name.removesuffix("_total") not in known) == []
    )


def test_a_name_that_is_gone_is_found() -> None:
    assert "pooled_scores_of_yore" not in words()
    assert IDENTIFIER.findall("store.pooled_scores_of_yore(x)") == ["pooled_scores_of_yore"]
    assert IDENTIFIER.findall("a PreparedImage.whole, but not a-b_c, MNIST or 7.png") == ["PreparedImage"]


@pytest.mark.parametrize("page", LIVING)
def test_every_error_that_is_named_is_one_of_ours_or_of_pythons(page: str) -> None:
    named = {name for span in code_spans(page) if re.fullmatch(r"(\w+\.)*[A-Z]\w*Error", span)
             for name in [span.rpartition(".")[2]]}  # fmt: skip
    assert [name for name in sorted(named) if not hasattr(errors, name) and not hasattr(builtins, name)] == []


def slug(heading: str) -> str:
    """The anchor that GitHub and the site's tool make of a heading."""
    plain = re.sub(r"[`*]|\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


@functools.cache
def anchors(page: str) -> frozenset[str]:
    """The anchors of a page's headings."""
    return frozenset(slug(heading) for heading in re.findall(r"^#+ (.*)$", text_of(page), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES)
def test_every_heading_that_is_linked_is_there(page: str) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", text_of(page)):
        if "://" not in target:
            other = (ROOT / page).parent.joinpath(target).resolve() if target else ROOT / page
            assert anchor in anchors(other.relative_to(ROOT).as_posix()), f"{target}#{anchor}"


def test_every_page_is_in_the_index() -> None:
    linked = set(re.findall(r"\]\(([\w./-]+\.md)\)", text_of("docs/index.md")))
    pages = {
        page.removeprefix("docs/") for page in PAGES if page.startswith("docs/") and page.count("/") == 1
    }
    assert pages - {"index.md"} <= linked


def test_every_picture_is_shown_and_made_by_a_script() -> None:
    shown = "\n".join(map(text_of, PAGES))
    for picture in (ROOT / "docs" / "images").rglob("*.*"):
        assert picture.name in shown, f"{picture.name} is on no page"
        made = picture.stem in words() or all(part in words() for part in re.split(r"\W", picture.stem))
        assert made, f"no script makes {picture.name}"


@pytest.mark.parametrize("page", LIVING)
def test_python_in_a_page_imports_what_is_there(page: str) -> None:
    nodes = [node for code in fences(page, "python") for node in ast.walk(ast.parse(code))]
    imported = {
        name
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        for name in [f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name]
    }
    used = {
        f"digitrec.{node.attr}"
        for node in nodes
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "digitrec"
    }
    assert [name for name in sorted(imported | used) if not importable(name)] == []


def importable(name: str) -> bool:
    """Whether it is there: of ours by importing it, of others only their module, which may be heavy."""
    if name.startswith("digitrec."):
        return found(name)
    top = name.partition(".")[0]
    return (
        importlib.util.find_spec(top) is not None
        or (ROOT / "examples" / "acme_provider" / f"{top}.py").exists()
    )
