"""What SINCH_WRAPPER_LOG switches on: the log of the library on standard error."""

import logging
import warnings
from typing import Final

_LOGGER: Final = "sinch_wrapper"
_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def _nobody_else_shows_it(_record: logging.LogRecord) -> bool:
    return not logging.getLogger().handlers


def show_log(level: str) -> None:
    """Print what is logged from *level* on, unless the program shows its log itself.

    Warns of a level that does not exist.
    """
    found = _LEVELS.get(level.strip().lower())
    if found is None:
        message = f"SINCH_WRAPPER_LOG must be one of {', '.join(_LEVELS)}; nothing is shown"
        warnings.warn(message, stacklevel=2)
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(_nobody_else_shows_it)
    logger = logging.getLogger(_LOGGER)
    logger.addHandler(handler)
    logger.setLevel(found)
