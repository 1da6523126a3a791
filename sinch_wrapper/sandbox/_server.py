"""The sandbox as a server, with access to its clock, its faults and its ledger."""

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sinch_wrapper.sandbox._admin import PARTS
from sinch_wrapper.sandbox._app import app_of
from sinch_wrapper.sandbox._arguments import check_choice, check_flag, check_kind
from sinch_wrapper.sandbox._clock import Clock
from sinch_wrapper.sandbox._doors import is_this_machine
from sinch_wrapper.sandbox._errors import Refusal
from sinch_wrapper.sandbox._faults import FaultRules
from sinch_wrapper.sandbox._http_server import LOOPBACK, BackgroundServer, check_address
from sinch_wrapper.sandbox._ledger import Ledger
from sinch_wrapper.sandbox._settings import Settings, check_settings
from sinch_wrapper.sandbox._state import RunningSandbox

if TYPE_CHECKING:
    from sinch_wrapper.sandbox._tls import LocalCertificate


_log = logging.getLogger("sinch_wrapper.sandbox")


class Server(BackgroundServer):
    """A sandbox in a background thread.

    `with Server() as server:`, then `Endpoints.sandbox(server.url)` has the URLs of its APIs.

    Args:
        settings: the defaults when None.
        host: the address to listen on; with the default only this machine can reach it, with
            another one a warning is logged.
        port: 0, or a port that is taken, picks a free one.
        tls: whether it speaks HTTPS; the file to trust is *certificate*, while it runs.

    Raises: TypeError or ValueError for an option of another kind, before anything is opened;
        OSError when it cannot listen on *host*.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        tls: bool = False,
    ) -> None:
        check_address(host, port)
        check_flag("tls", tls)
        check_settings(settings)
        self._sandbox = RunningSandbox(settings or Settings())
        self._certificate = _certificate(host) if tls else None
        context = None if self._certificate is None else self._certificate.context
        app = app_of(self._sandbox, host)
        super().__init__(app, host=host, port=port, tls=context, dated=False)
        self._host = host
        if self.exposure:
            _log.warning(self.exposure)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._sandbox.state.settings

    @property
    def exposure(self) -> str:
        """What strangers can do to it, for a warning; empty when only this machine reaches it."""
        if is_this_machine(self._host.lower()):
            return ""
        posts = ", and make it post to any address" if self.settings.remote_callbacks else ""
        reach = f"anyone who reaches {self.url} can read and steer it{posts}"
        return f"the sandbox listens beyond this machine: {reach}; give it no real secrets"

    @property
    def certificate(self) -> Path | None:
        """The file to trust (PEM), for `SSL_CERT_FILE` or `--cacert`; None without TLS."""
        return None if self._certificate is None else self._certificate.path

    @property
    def clock(self) -> Clock:
        """The clock of the sandbox."""
        return self._sandbox.state.clock

    @property
    def faults(self) -> FaultRules:
        """The fault rules in force."""
        return self._sandbox.state.faults

    @property
    def ledger(self) -> Ledger:
        """What was truly accepted."""
        return self._sandbox.state.ledger

    @property
    def struck(self) -> Mapping[str, int]:
        """How often a fault struck, by operation id."""
        return dict(self.faults.struck)

    def reset(self, settings: Settings | None = None) -> None:
        """Forget everything and begin anew, with *settings* or those of the start.

        Raises: TypeError when *settings* is not Settings.
        """
        check_settings(settings)
        self._sandbox.reset_from_thread(settings)

    def play(self, path: str, fields: Mapping[str, object]) -> dict[str, object]:
        """Do what `POST /_sandbox` with *path* does, and return the same.

        The paths are `/inbound`, `/opt-out`, `/opt-in` and `/webhooks`.

        Raises: TypeError or ValueError for another path, or fields that the sandbox refuses;
            RuntimeError when it is not running.
        """
        check_choice("path", path, PARTS)
        check_kind("fields", fields, Mapping, "a mapping")
        try:
            return self._sandbox.call_from_thread(lambda region: PARTS[path](region, dict(fields)))
        except Refusal as refusal:
            raise ValueError(refusal.reason) from None

    def close(self) -> None:
        """Release the port and delete the files; `stop` does this too."""
        super().close()
        if self._certificate is not None:
            self._certificate.close()


def serve(
    settings: Settings | None = None, *, host: str = LOOPBACK, port: int = 0, tls: bool = False
) -> None:
    """Serve a sandbox in the foreground until interrupted (KeyboardInterrupt).

    *settings*, *host*, *port* and *tls* are those of Server().

    What `Server` logs as a warning is on stderr here.
    """
    server = Server(settings, host=host, port=port, tls=tls)
    if server.exposure:
        print(server.exposure, file=sys.stderr)  # noqa: T201 (a program of its own)
    server.run()


def _certificate(host: str) -> "LocalCertificate":
    # trustme takes longer to load than the rest of the sandbox.
    from sinch_wrapper.sandbox._tls import LocalCertificate

    return LocalCertificate(host)
