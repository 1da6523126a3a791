"""Every public option is given values of other kinds; each part of the package brings its table.

A table has a PublicCall for each public call, and says for each option which kinds of values it
takes. All other kinds must raise an error that names the option, quotes nothing, and comes before
anything is opened or sent. `public_calls` finds the options in the code, so a new one without a row
is noticed.
"""

import enum
import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from types import ModuleType
from typing import is_typeddict

from sinch_wrapper import ConfigurationError

VALUES: Mapping[str, object] = {
    "none": None,
    "true": True,
    "zero": 0,
    "negative": -46700000001,
    "whole": 46700000001,
    "fraction": 46700000001.5,
    "huge": 10**400,
    "nan": math.nan,
    "infinity": math.inf,
    "string": "planted text",
    "empty": "",
    "blank": " \n",
    "bytes": b"planted bytes",
    "list": ["planted item"],
    "numbers": [46700000001],
    "no_items": [],
    "mapping": {"planted key": "planted value"},
    "numbered": {46700000001: "planted value"},
    "no_entries": {},
    "time": datetime(2026, 1, 1, tzinfo=UTC),
    "time_without_zone": datetime(2026, 1, 1),  # noqa: DTZ001 (the mistake)
    "function": lambda *_, **__: None,
    "object": object(),
}
"""One value for each kind."""

ANYTHING = " ".join(VALUES)
NUMBER = "zero negative whole fraction"
OPTIONAL_STRING = "string empty blank none"
OPTIONAL_MAPPING = "mapping no_entries none"

_PLANTED = re.compile(r"planted|46700|object at 0x")


@dataclass(frozen=True)
class PublicCall:
    """One public call and what its options take.

    *options* has the kinds of values that each option takes, separated by blanks; *right* are
    arguments that are not refused; for single options *without* leaves some of them out.
    *named* says how errors name an option when not by its own name. *touched* returns what was
    opened or sent.
    """

    name: str
    call: Callable[..., object]
    options: Mapping[str, str]
    right: Mapping[str, object] = field(default_factory=dict)
    without: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    touched: Callable[[], object] = tuple

    @cached_property
    def _positional(self) -> list[str]:
        found = inspect.signature(self.call).parameters.values()
        return [each.name for each in found if each.kind is each.POSITIONAL_ONLY]

    def faults(self, option: str) -> list[str]:
        """What is wrong with the errors for *option*; empty when nothing is."""
        unknown = set(self.options[option].split()) - VALUES.keys()
        found = [f"no such kind: {kind}" for kind in unknown]
        left_out = self.without.get(option, ())
        right = {name: value for name, value in self.right.items() if name not in left_out}
        for kind, value in VALUES.items():
            if kind not in self.options[option].split():
                fault = self._fault(option, {**right, option: value})
                found += [f"{kind}: {fault}"] if fault else []
        return found

    def _fault(self, option: str, arguments: Mapping[str, object]) -> str:
        try:
            positional = [arguments[name] for name in self._positional]
            named = {n: value for n, value in arguments.items() if n not in self._positional}
            self.call(*positional, **named)
        except (ValueError, TypeError, ConfigurationError) as error:
            text = str(error)
        except Exception as error:  # noqa: BLE001 (any other one is the fault to report)
            return f"raises {type(error).__name__}: {error}"
        else:
            return "is accepted"
        if self.touched():
            return "something was opened or sent"
        if not re.search(rf"\b{re.escape(self.named.get(option, option))}\b", text):
            return f"the error does not name the option: {text}"
        return f"the error quotes the value: {text}" if _PLANTED.search(text) else ""


def options_of(call: Callable[..., object]) -> set[str]:
    """The names of the options of *call*, those of an unpacked TypedDict among them."""
    found: set[str] = set()
    for parameter in inspect.signature(call).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            for kind in getattr(parameter.annotation, "__args__", ()):
                found |= kind.__required_keys__ | kind.__optional_keys__
        elif parameter.kind is not parameter.VAR_POSITIONAL and parameter.name != "self":
            found.add(parameter.name)
    return found


def public_calls(*modules: ModuleType) -> dict[str, set[str]]:
    """The calls in the `__all__` of *modules* that have options, and their options."""
    found: dict[str, set[str]] = {}
    for module in modules:
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing) and not _is_skipped(thing):
                found[name] = {"value"} if issubclass(thing, enum.Enum) else options_of(thing)
                found |= {f"{name}.{method}": options_of(call) for method, call in _methods(thing)}
            elif inspect.isfunction(thing):
                found[name] = options_of(thing)
    return {name: options for name, options in found.items() if options}


def _is_skipped(kind: type) -> bool:
    return issubclass(kind, BaseException) or is_typeddict(kind)


def _methods(kind: type) -> Iterable[tuple[str, Callable[..., object]]]:
    ours = [base for base in kind.__mro__ if base.__module__.startswith("sinch_wrapper")]
    for name in sorted({name for base in ours for name in vars(base)}):
        method = getattr(kind, name, None)
        if not name.startswith("_") and (inspect.isfunction(method) or inspect.ismethod(method)):
            yield name, method
