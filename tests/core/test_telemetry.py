"""OpenTelemetry: only with telemetry=True, and without personal data."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from sinch_wrapper import ConfigurationError, Recipient, RetryPolicy, Sinch, SinchError, text
from sinch_wrapper._http import httpx
from tests.helpers.core import Flavour, Server, token_response
from tests.helpers.planted import PHONE, TEXT, TOKEN, leaks

SENT = httpx.Response(200, json={"message_id": "m1"})


def test_telemetry_without_the_library_is_refused(
    clean_environment: pytest.MonkeyPatch,
) -> None:
    """Without the library, telemetry=True is an error that names the extra."""
    clean_environment.setitem(sys.modules, "opentelemetry", None)
    clean_environment.delitem(sys.modules, "sinch_wrapper._telemetry", raising=False)
    with pytest.raises(ConfigurationError, match=r"sinch-wrapper\[otel\]"):
        Sinch(project_id="p", key_id="k", key_secret="s", region="eu", telemetry=True)


class Seen:
    """The spans and metrics that an application's OpenTelemetry has received."""

    def __init__(self) -> None:
        from opentelemetry import metrics, trace
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        self._spans = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        trace.set_tracer_provider(tracers)
        metrics.set_meter_provider(MeterProvider([self._reader]))

    def clear(self) -> None:
        """Drop all spans and metrics."""
        self._spans.clear()
        self._reader.get_metrics_data()

    def spans(self) -> list[Any]:
        """The spans that have ended."""
        return list(self._spans.get_finished_spans())

    def points(self, name: str) -> list[Any]:
        """The data points of the metric *name*."""
        data = self._reader.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data else [])
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


@pytest.fixture(scope="module")
def provider() -> Seen:
    """Set the global providers, which can be set once per process."""
    pytest.importorskip("opentelemetry.sdk")
    return Seen()


@pytest.fixture
def seen(provider: Seen) -> Iterator[Seen]:
    """Begin without spans and metrics."""
    provider.clear()
    yield provider
    provider.clear()


def test_call_is_a_span_and_a_measurement(flavour: Flavour, seen: Seen) -> None:
    """A call is one span, however many attempts, named by the operation, without personal data."""
    server = Server(httpx.Response(429), SENT, tokens=[token_response(TOKEN)])
    client = flavour.client(server, telemetry=True)
    flavour.run(client.send(app_id="A", to=Recipient.sms(PHONE), message=text(TEXT)))
    (span,) = seen.spans()
    assert (span.name, span.kind.name, span.status.status_code.name) == (
        "Messages_SendMessage", "CLIENT", "UNSET",
    )  # fmt: skip
    assert dict(span.attributes) == {
        "sinch.operation": "Messages_SendMessage",
        "http.request.method": "POST",
        "server.address": "eu.conversation.api.sinch.com",
        "http.response.status_code": 200,
        "http.request.resend_count": 1,
    }
    assert leaks(span.to_json()) == []
    assert len(seen.points("sinch.client.operation.duration")) >= 1
    assert seen.points("sinch.client.operation.repeats")[-1].value >= 1


@pytest.mark.parametrize(
    ("fault", "kind", "status"),
    [
        (httpx.Response(404, text=f"{PHONE} {TEXT}"), "NotFoundError", 404),
        (httpx.Response(200, text=TEXT), "APIResponseValidationError", 200),
        (httpx.ReadTimeout(""), "APITimeoutError", None),
    ],
)
def test_failure_is_a_span_with_its_class(
    flavour: Flavour, seen: Seen, fault: object, kind: str, status: int | None
) -> None:
    """The span has the class of the exception, without its message or frames."""
    client = flavour.client(Server(fault), telemetry=True, retry=RetryPolicy(attempts=1))
    with pytest.raises(SinchError):
        flavour.run(client.conversation.contact.get_contact(PHONE))
    (span,) = seen.spans()
    assert (span.status.status_code.name, span.events) == ("ERROR", ())
    assert span.attributes["error.type"] == kind
    assert span.attributes.get("http.response.status_code") == status
    assert leaks(span.to_json()) == []


def test_nothing_is_recorded_by_default(flavour: Flavour, seen: Seen) -> None:
    """An application that uses OpenTelemetry gets our spans only with telemetry=True."""
    flavour.run(flavour.client(Server(SENT)).conversation.app.list_apps())
    assert seen.spans() == []
