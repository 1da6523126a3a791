"""The browser that these tests share."""

from tests.helpers.browsers import axe, browser

__all__ = ["axe", "browser"]
