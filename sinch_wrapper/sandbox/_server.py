"""The sandbox as a server, with access to its clock, its faults and its ledger."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sinch_wrapper.sandbox._app import create_app
from sinch_wrapper.sandbox._arguments import check_flag, check_kind
from sinch_wrapper.sandbox._clock import Clock
from sinch_wrapper.sandbox._faults import FaultRules
from sinch_wrapper.sandbox._http_server import LOOPBACK, BackgroundServer, check_address
from sinch_wrapper.sandbox._ledger import Ledger
from sinch_wrapper.sandbox._settings import Settings

if TYPE_CHECKING:
    from sinch_wrapper.sandbox._state import RunningSandbox
    from sinch_wrapper.sandbox._tls import LocalCertificate


class Server(BackgroundServer):
    """A sandbox in a background thread.

    `with Server() as server:`, then `Endpoints.sandbox(server.url)` has the URLs of its APIs.

    Args:
        settings: the defaults when None.
        host: the address to listen on; with the default only this machine can reach it.
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
        app = create_app(settings)
        self._sandbox: RunningSandbox = app.state.sandbox
        self._certificate = _certificate(host) if tls else None
        context = None if self._certificate is None else self._certificate.context
        super().__init__(app, host=host, port=port, tls=context, dated=False)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._sandbox.state.settings

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
        if settings is not None:
            check_kind("settings", settings, Settings, "Settings or None")
        self._sandbox.reset_from_thread(settings)

    def close(self) -> None:
        """Release the port and delete the files; `stop` does this too."""
        super().close()
        if self._certificate is not None:
            self._certificate.close()


def serve(
    settings: Settings | None = None, *, host: str = LOOPBACK, port: int = 0, tls: bool = False
) -> None:
    """Serve a sandbox in the foreground until interrupted (KeyboardInterrupt); as `Server`."""
    Server(settings, host=host, port=port, tls=tls).run()


def _certificate(host: str) -> "LocalCertificate":
    # trustme takes longer to load than the rest of the sandbox.
    from sinch_wrapper.sandbox._tls import LocalCertificate

    return LocalCertificate(host)
