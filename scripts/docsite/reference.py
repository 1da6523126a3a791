"""The pages of the reference: every public name, operation, model and command."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Final

# What CHANGELOG.md calls public, in the order in which one meets it.
MODULES: Final = {
    "sinch_wrapper.client": "Clients",
    "sinch_wrapper.messages": "Messages and recipients",
    "sinch_wrapper.pagination": "Pages",
    "sinch_wrapper.errors": "Errors",
    "sinch_api_types": "UNSET",
    "sinch_wrapper": "Options and values",
    "sinch_wrapper.regions": "Regions",
    "sinch_wrapper.parameters": "Placeholders",
    "sinch_wrapper.bulk": "Bulk",
    "sinch_wrapper.callbacks": "Callbacks",
    "sinch_wrapper.sandbox": "Sandbox",
    "sinch_wrapper.testing": "Test kit",
    "sinch_wrapper.testing.plugin": "Fixtures of pytest",
}
APIS: Final = {
    "conversation": "sinch_conversation_api",
    "batch": "sinch_batch_api",
    "templates": "sinch_template_api",
}
Pages = dict[str, str]
"""Markdown by the path of the page."""


def reference_pages() -> Pages:
    """All pages of the reference."""
    pages = {f"reference/{name}.md": _module_page(name, title) for name, title in MODULES.items()}
    for api, package in APIS.items():
        pages |= dict(_operation_pages(api, package))
        pages[f"reference/{api}/models.md"] = _models_page(api, package)
    pages["reference/command.md"] = _command_page()
    return pages


def members(name: str) -> list[str]:
    """The public names that the page of a module shows: each is on one page only."""
    module = importlib.import_module(name)
    names: list[str] = list(getattr(module, "__all__", ()))
    if name == "sinch_wrapper":
        others = {each for other in MODULES if other != name for each in members(other)}
        names = [each for each in names if each not in others and each != "__version__"]
    if name == "sinch_wrapper.testing.plugin":
        names = ["sinch_sandbox", "async_sinch_sandbox"]
    # A twin for tasks follows the one for threads.
    return sorted(names, key=lambda each: (each.removeprefix("Async").lower(), len(each)))


def _module_page(name: str, title: str) -> str:
    listed = "".join(f"        - {each}\n" for each in members(name))
    return (
        f"# {title}\n\n`{name}`\n\n::: {name}\n    options:\n"
        f"      inherited_members: true\n      members:\n{listed}"
    )


def resources(package: str) -> Iterator[tuple[str, type]]:
    """The tags of an API: the name of the property, and the class that has the operations."""
    client = importlib.import_module(f"{package}.client").Client
    for tag, value in vars(client).items():
        getter = getattr(value, "fget", None) or getattr(value, "func", None)
        kind = inspect.get_annotations(getter)["return"] if getter else ""
        if kind.endswith("Resource"):
            yield tag, getattr(importlib.import_module(f"{package}.api.{tag}"), kind)


def _operation_pages(api: str, package: str) -> Iterator[tuple[str, str]]:
    routes = _routes(package)
    for tag, resource in resources(package):
        path = f"{resource.__module__}.{resource.__name__}"
        rows = [
            f"| [`{method}`][{path}.{method}] | `{operation}` | {routes[operation]} |"
            for method, operation in operations(resource)
        ]
        yield (
            f"reference/{api}/{tag}.md",
            f"# {api}.{tag}\n\n`sinch.{api}.{tag}`. Each method has a twin that ends in "
            "`_detailed`, which returns the whole response: status, headers and content. "
            "`AsyncSinch` has the same methods, awaited. Models: [all](models.md).\n\n"
            "| method | operation id | request |\n|---|---|---|\n"
            + "\n".join(rows)
            + f"\n\n::: {path}\n",
        )


def operations(resource: type) -> Iterator[tuple[str, str]]:
    """The methods of a resource that are operations, with their ids."""
    for name, method in vars(resource).items():
        found = re.search(r"Operation: ``(\w+)``", inspect.getdoc(method) or "")
        if found and not name.endswith("_detailed"):
            yield name, found[1]


def _routes(package: str) -> dict[str, str]:
    document = json.loads(files(package).joinpath("openapi.json").read_text(encoding="utf-8"))
    return {
        operation["operationId"]: f"{method.upper()} `{path}`"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, Mapping) and "operationId" in operation
    }


def _models_page(api: str, package: str) -> str:
    models = importlib.import_module(f"{package}.models")
    intro = (
        f"# Models of {api}\n\n`{package}.models`. Any field of a response may be `UNSET`; a body "
        "may be a model or a mapping. `model.to_dict()` and `Model.from_dict()` convert.\n"
    )
    return "\n".join([intro, *(_model(name, getattr(models, name)) for name in models.__all__)])


def _model(name: str, value: object) -> str:
    if not isinstance(value, type):
        known = ", ".join(f"`{each}`" for each in getattr(value, "__args__", ()))
        return f"## {name}\n\nOne of {known}; responses may have others.\n"
    summary, _, rest = (inspect.getdoc(value) or "").partition("Attributes:")
    meanings = {
        found[1]: " ".join(found[2].split())
        for found in re.finditer(r"^    (\w+): (.*(?:\n {8}.*)*)", rest, re.MULTILINE)
    }
    fields = inspect.get_annotations(value)
    rows = [
        f"| `{field}` | `{_type(kind)}` | {_cell(meanings.get(field, ''))} |"
        for field, kind in fields.items()
        if field != "additional_properties"
    ]
    table = "\n".join(["| field | type | |", "|---|---|---|", *rows]) if rows else ""
    return f"## {name}\n\n{summary.strip()}\n\n{table}\n"


def _type(kind: object) -> str:
    return str(kind).replace("_models.", "").replace(" | Unset", "").replace("|", "or")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _command_page() -> str:
    """The help of every command, as the command prints it."""
    import click

    from sinch_wrapper.cli._app import commands

    def helps(command: click.Command, path: str) -> Iterator[str]:
        context = click.Context(command, info_name=path, terminal_width=100, max_content_width=100)
        yield f"## {path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
        if isinstance(command, click.Group):
            for name in sorted(command.commands):
                yield from helps(command.commands[name], f"{path} {name}")

    intro = "# The command, in full\n\nThe guide is [here](../docs/command.md).\n\n"
    return intro + "\n".join(helps(commands, "sinch-wrapper"))
