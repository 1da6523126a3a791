"""Test kit: the sandbox as pytest fixtures, with control of faults and time, and its ledger.

`sinch_sandbox` and `async_sinch_sandbox` are fixtures of the pytest plugin
`sinch_wrapper.testing.plugin`, which pytest finds by itself.
"""

from typing import TYPE_CHECKING

from sinch_wrapper._lazy import lazy

if TYPE_CHECKING:
    from sinch_wrapper.testing._kit import AsyncSandbox, Received, Sandbox

__all__ = ["AsyncSandbox", "Received", "Sandbox"]


__getattr__ = lazy(__name__, {"_kit": ("AsyncSandbox", "Received", "Sandbox")})
