"""Running openapi-python-client with our templates, and finishing what it writes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
from importlib import import_module
from pathlib import Path
from types import CodeType
from typing import Any

from jinja2.bccache import Bucket, BytecodeCache
from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError

from codegen import texts
from codegen.callbacks import Callback, callbacks
from codegen.document import Node, Refused, pointing
from codegen.guard import check_code
from codegen.normalise import normalise
from codegen.views import Views

SHARED = "sinch_api_types"
"""The package that the packages of all documents import."""

_HERE = Path(__file__).parent
_RUFF = (
    ("check", "--fix-only", "--select", "F401,I"),
    ("format",),
)
# Isolated, because ruff otherwise obeys the nearest pyproject.toml and the output would depend on
# where it is written.
_RUFF_OPTIONS = (
    *("--isolated", "--no-cache", "--quiet", "--no-respect-gitignore"),
    *("--target-version", "py311", "--line-length", "120"),
)


# Where the generator's own messages say what they are about.
_PLACES = (
    (re.compile(r"parsing ([A-Z]+) (\S+) within"), r"paths.\2"),
    (re.compile(r"/?components[/.]schemas[/.]([^\s:/]+)"), r"components.schemas.\1"),
    (re.compile(r"models with name ['\"]?(\w+)"), r"components.schemas.\1"),
)


class _CompiledTemplates(BytecodeCache):
    """Keeps compiled templates in memory: compiling takes longer than rendering a document."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template its code, if it was compiled before."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template that was just compiled."""
        self._codes[bucket.key, bucket.checksum] = bucket.code


_TEMPLATES = _CompiledTemplates()


def render(document: Node, package: str, origin: str, folder: Path, *, tidy: bool = True) -> Path:
    """Write the package of a repaired document into a folder and return its path.

    Args:
        document: with overlays applied; it is written into the package as ``openapi.json``.
        package: import name.
        origin: file name of the document, for the first line of each module.
        folder: where the package folder is made; an older one is replaced.
        tidy: format the code and remove unused imports. Without it the code does the same.

    Raises: Refused when the document cannot be turned into a correct client.
    """
    target = folder / package
    shutil.rmtree(target, ignore_errors=True)
    with pointing(document, origin):
        normalised, found = normalise(document), callbacks(document)
        project = _project(normalised, document, package, target)
        # The generator reports its progress on standard output.
        with contextlib.redirect_stdout(io.StringIO()):
            project.build()
        _write_callbacks(project, found, target)
        check_code(target)
    if tidy:
        _tidy(target, origin)
    _finish(target, document, origin)
    return target


def render_shared(folder: Path) -> Path:
    """Write the package of what the packages of all documents share, and return its path."""
    target = folder / SHARED
    target.mkdir()
    text = (_HERE / "templates" / "shared.py.jinja").read_text(encoding="utf-8")
    (target / "__init__.py").write_text(_head("sources.toml") + text, encoding="utf-8")
    (target / "py.typed").write_text("", encoding="utf-8")
    return target


def _config(package: str, target: Path) -> Config:
    return Config.from_sources(
        ConfigFile(
            literal_enums=True,
            use_path_prefixes_for_title_model_names=False,
            package_name_override=package,
            post_hooks=[],
        ),
        meta_type=MetaType.NONE,
        document_source=target,
        file_encoding="utf-8",
        overwrite=False,
        output_path=target,
    )


def _project(normalised: Node, document: Node, package: str, target: Path) -> Project:
    config = _config(package, target)
    # The generator gets what it needs and nothing else. Titles have done their work in the
    # normaliser; here they would rename components.
    plain = {
        "openapi": normalised["openapi"],
        "info": {key: normalised["info"][key] for key in ("title", "version")},
        "paths": normalised["paths"],
        "components": {"schemas": _untitled(normalised["components"]["schemas"])},
    }
    data = GeneratorData.from_dict(plain, config=config)
    if isinstance(data, GeneratorError):
        raise _refusal(data, package)
    _refuse_losses(data, package)
    views = Views(data, normalised, texts.plain(document["info"]["title"]))
    project = Project(openapi=data, config=config, custom_template_path=_HERE / "templates")
    project.env.bytecode_cache = _TEMPLATES
    project.env.filters["quoted"] = texts.quoted
    project.env.globals.update(
        view=views, document_version=texts.quoted(document["info"]["version"])
    )
    return project


def _refuse_losses(data: GeneratorData, package: str) -> None:
    """A warning of the generator is a model or an operation that it left out."""
    errors = [*data.errors]
    for collection in data.endpoint_collections_by_tag.values():
        errors += collection.parse_errors
    for error in errors:
        raise _refusal(error, package)


def _refusal(error: GeneratorError, package: str) -> Refused:
    detail = " ".join(f"{error.header}: {error.detail}".split())
    place = next((match.expand(text) for it, text in _PLACES if (match := it.search(detail))), "")
    return Refused(place or package, f"the generator would leave something out ({detail})")


def _untitled(node: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(node, list):
        return [_untitled(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        # A property may be called title; the keyword is the one whose value is text.
        key: _untitled(value)
        for key, value in node.items()
        if key != "title" or not isinstance(value, str)
    }


def _write_callbacks(project: Project, found: list[Callback], target: Path) -> None:
    if found:
        text = project.env.get_template("callbacks.py.jinja").render(callbacks=found)
        (target / "callbacks.py").write_text(text, encoding="utf-8")


def _tidy(target: Path, origin: str) -> None:
    for arguments in _RUFF:
        command = [_ruff(origin), *arguments, *_RUFF_OPTIONS, str(target)]
        # Without the environment, which may hold keys; Windows starts nothing without the one name.
        kept = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=kept)
        if done.returncode:
            said = next(iter(done.stderr.splitlines()), f"exit code {done.returncode}")
            raise Refused(origin, f"ruff rejects the generated code ({said})")


def _ruff(origin: str) -> str:
    """The path of ruff's program: starting it by `python -m ruff` takes longer than its work."""
    try:
        program: str = import_module("ruff").find_ruff_bin()
    except (AttributeError, ImportError, FileNotFoundError) as error:
        raise Refused(origin, "cannot be turned into code without ruff", "run uv sync") from error
    return program


def _head(origin: str) -> str:
    return f"# Generated by scripts/regenerate.py from openapi/{origin}. Do not edit.\n"


def _finish(target: Path, document: Node, origin: str) -> None:
    for path in target.rglob("*.py"):
        path.write_text(_head(origin) + path.read_text(encoding="utf-8"), encoding="utf-8")
    (target / "py.typed").write_text("", encoding="utf-8")
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    (target / "openapi.json").write_text(text + "\n", encoding="utf-8")
