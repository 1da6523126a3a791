"""The sandbox as a server, with a hold on its clock, its faults and its ledger."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sinch_wrapper.sandbox._app import create_app
from sinch_wrapper.sandbox._clock import Clock
from sinch_wrapper.sandbox._faults import Faults
from sinch_wrapper.sandbox._http_server import LOOPBACK, BackgroundServer
from sinch_wrapper.sandbox._settings import Settings
from sinch_wrapper.sandbox._store import Ledger

if TYPE_CHECKING:
    from sinch_wrapper.sandbox._state import Holder
    from sinch_wrapper.sandbox._tls import Certificate


class Server(BackgroundServer):
    """A sandbox in a background thread.

    `with Server() as server:`, and `Endpoints.sandbox(server.url)` knows its APIs. With *tls* it
    speaks HTTPS with a certificate of its own, in the file *certificate* while it runs. Only this
    machine can reach it, unless *host* is another address.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        tls: bool = False,
    ) -> None:
        app = create_app(settings)
        self._holder: Holder = app.state.holder
        self._certificate = _certificate(host) if tls else None
        context = None if self._certificate is None else self._certificate.tls
        super().__init__(app, host=host, port=port, tls=context, dated=False)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._holder.hub.settings

    @property
    def certificate(self) -> Path | None:
        """The file with the certificate to trust (PEM); None without TLS."""
        return None if self._certificate is None else self._certificate.path

    @property
    def clock(self) -> Clock:
        """The time of the sandbox."""
        return self._holder.hub.clock

    @property
    def faults(self) -> Faults:
        """The fault rules in force."""
        return self._holder.hub.faults

    @property
    def ledger(self) -> Ledger:
        """What was truly accepted."""
        return self._holder.hub.ledger

    @property
    def struck(self) -> Mapping[str, int]:
        """How often faults struck, by operation id."""
        return dict(self.faults.struck)

    def reset(self, settings: Settings | None = None) -> None:
        """Forget everything and begin anew, with other *settings* or those of the start."""
        self._holder.reset_from_outside(settings)

    def close(self) -> None:
        """Give back the port and the files; `stop` does so too."""
        super().close()
        if self._certificate is not None:
            self._certificate.close()


def _certificate(host: str) -> "Certificate":
    # cryptography takes longer to load than the rest of the sandbox.
    from sinch_wrapper.sandbox._tls import Certificate

    return Certificate(host)


def serve(
    settings: Settings | None = None, *, host: str = LOOPBACK, port: int = 0, tls: bool = False
) -> None:
    """Serve a sandbox in the foreground until interrupted (KeyboardInterrupt)."""
    Server(settings, host=host, port=port, tls=tls).run()
