"""OpenTelemetry, with telemetry=True: one span and two measurements per call."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from opentelemetry import metrics, trace

from sinch_wrapper._request import APIRequest, Response, host_of
from sinch_wrapper._version import __version__
from sinch_wrapper.errors import APIResponseValidationError, APIStatusError

T = TypeVar("T")


class Telemetry:
    """Writes spans and metrics to the global providers of OpenTelemetry.

    Attributes are the operation, method, host, status or exception class, and the number of
    repetitions: never a path, an id, a phone number or text.
    Source: semantic conventions for HTTP client spans and metrics.
    """

    def __init__(self) -> None:
        meter = metrics.get_meter("sinch_wrapper", __version__)
        self._tracer = trace.get_tracer("sinch_wrapper", __version__)
        self._duration = meter.create_histogram(
            "sinch.client.operation.duration", "s", "Calls, with all their attempts and waits."
        )
        self._repeats = meter.create_counter(
            "sinch.client.operation.repeats", "{attempt}", "Attempts after the first."
        )

    @contextmanager
    def observe(self, request: APIRequest) -> Iterator[Callable[[Response[T]], Response[T]]]:
        """Observe the call of *request*; pass the response to the function that this yields."""
        call, began = request.call, time.perf_counter()
        seen: dict[str, str | int] = {
            "sinch.operation": call.name,
            "http.request.method": request.method,
            "server.address": host_of(request),
        }

        def responded(response: Response[T]) -> Response[T]:
            seen["http.response.status_code"] = response.status_code
            return response

        with self._tracer.start_as_current_span(
            call.name,
            kind=trace.SpanKind.CLIENT,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield responded
            except BaseException as error:
                seen.update(_facts(error))
                span.set_status(trace.StatusCode.ERROR)
                raise
            finally:
                repeats = max(0, call.attempts - 1)
                span.set_attributes({**seen, "http.request.resend_count": repeats})
                self._repeats.add(repeats, {"sinch.operation": call.name})
                self._duration.record(time.perf_counter() - began, seen)


def _facts(error: BaseException) -> dict[str, str | int]:
    facts: dict[str, str | int] = {"error.type": type(error).__name__}
    if isinstance(error, APIStatusError | APIResponseValidationError):
        facts["http.response.status_code"] = error.status_code
    return facts
