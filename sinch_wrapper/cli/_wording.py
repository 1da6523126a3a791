"""The library's words in the command's: `numbers="msisdn"` is `--numbers msisdn` here."""

import re
import shlex
from collections.abc import Iterator
from typing import Final

import click

# What is not an option of the same name.
_NAMES: Final = {
    "addresses": "NUMBER",
    "app_id": "--app",
    "columns": "--to, --key, --parameter or --metadata",
    "endpoints": "--sandbox",
    "identities": "--to",
    "message": "the message",
    "project_id": "the project id",
    "recipients": "FILE",
    "secret": "--secret-file",
    "secrets": "--secret-file",
    "text": "--text",
}
# What only programs can do, or do in another way.
_PHRASES: Final = {
    "JournalFollower": "sinch-wrapper callbacks serve --job",
    "Endpoints.sandbox(base=...)": "--sandbox",
    ", or Endpoints(..., allow_http=True) in a network of your own": "",
    " (limits=)": "",
    "check proxy= or HTTPS_PROXY": "check HTTPS_PROXY",
    "; see .response": "",
    ", such as text(...)": "",
    "sinch_wrapper.cluster.resume()": "sinch-wrapper bulk resume --cluster",
    "as often as attempts= allows": "as often as is allowed",
}
_WORD: Final = re.compile(r"\w+")
_LIBRARY: Final = re.compile(
    "|".join(map(re.escape, _PHRASES))
    + r"""|Columns\(to=\[\("(?P<column>[^"]*)",\ "(?P<channel>[^"]*)"\)\]\)"""
    r"""|\bendpoints\.\w+"""
    r"""|(?<![?&])\b(?P<name>[a-z_]+)=(?P<value>"[^"]*"|True\b|\d+(?:\.\d+)?)?"""
)


def command_words(message: str, **names: str) -> str:
    """*message* of the library with the options of the command that runs, else of any command.

    *names* are what an argument is called here, when that is not its only option.
    """
    context = click.get_current_context(silent=True)
    if context is None or not _LIBRARY.search(message):
        return message
    options = dict(_options(context.find_root())) | dict(_options(context))
    options |= names
    return _LIBRARY.sub(lambda found: _word(found, options), message)


def _word(found: re.Match[str], options: dict[str, str]) -> str:
    if (phrase := _PHRASES.get(found[0])) is not None:
        return phrase
    if found["column"]:
        return f"--to {shlex.quote(found['column'] + '=' + found['channel'])}"
    if found["name"] is None:
        return _NAMES["endpoints"]
    option = _NAMES.get(found["name"]) or options.get(found["name"])
    if option is None:
        return found[0]
    value = (found["value"] or "").strip('"')
    return f"{option} {shlex.quote(value)}" if value not in {"", "True"} else option


def _options(context: click.Context) -> Iterator[tuple[str, str]]:
    """The names of parameters of the command and those under it, and what a person writes."""
    for each in context.command.params:
        if isinstance(each, click.Option) and each.name:
            yield each.name, each.opts[0]
        elif each.name:
            yield each.name, _WORD.findall(each.make_metavar(context))[0]
    if isinstance(context.command, click.Group):
        for command in context.command.commands.values():
            yield from _options(click.Context(command, parent=context))
