"""The browser that these tests share."""

from tests.helpers.browser import axe, browser

__all__ = ["axe", "browser"]
