"""Every operation of the three documents responds, and the response fits the document."""

import pytest

from sinch_wrapper.sandbox._documents import OperationSpec
from sinch_wrapper.sandbox._resources.table import HANDLERS
from sinch_wrapper.sandbox._synthesis import synthesise
from sinch_wrapper.sandbox._validation import response_violations
from tests.helpers.sandbox import Api
from tests.helpers.sandbox_requests import REQUESTS, SPECS, make, no_arguments


@pytest.mark.parametrize("operation_id", SPECS)
def test_operation_responds_as_documented(api: Api, operation_id: str) -> None:
    """Each operation responds to a sound request with 200 and a body that fits its schema."""
    spec = SPECS[operation_id]
    made = make(api, needs_settings=operation_id != "ProjectSettings_CreateSettings")
    request = REQUESTS.get(operation_id, no_arguments)(made)

    response = api(spec.method, f"/{spec.api}{spec.path.format(**made)}", **request)

    assert response.status_code == 200, response.text
    assert response_violations(spec, response.json()) == []


def test_handlers_are_those_of_operations() -> None:
    """No handler is left over or lost; new operations are served from their schema at first."""
    assert set(HANDLERS) - set(SPECS) == set()
    assert len(HANDLERS) >= 59


@pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.id)
def test_synthesised_response_fits_schema(spec: OperationSpec) -> None:
    """A response made up from a response schema conforms to it."""
    assert response_violations(spec, synthesise(spec)) == []
