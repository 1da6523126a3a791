"""Consents: the lists of identities that opted out, and an audit record of each change."""

from sinch_wrapper.sandbox._errors import invalid, not_found
from sinch_wrapper.sandbox._json import Json
from sinch_wrapper.sandbox._numbers import plain_identity
from sinch_wrapper.sandbox._region import OperationCall, OperationHandler, RegionState
from sinch_wrapper.sandbox._resources.fields import app_of
from sinch_wrapper.sandbox._store import next_page, page

_MAX_PAGE = 50


def _insert(region: RegionState, call: OperationCall) -> Json:
    app_id = app_of(region.store, call.body["app_id"])["id"]
    for place, record in enumerate(call.body["consent_records"]):
        if "consent_type" not in record:
            raise invalid(f"consent_records[{place}].consent_type", "Field is mandatory.")
    for record in call.body["consent_records"]:
        record_consent(region, app_id, record["identification"], record["consent_type"])
    return {"batch_id": region.new_id()}


def record_consent(  # noqa: PLR0913 (all of it makes the record)
    region: RegionState,
    app_id: str,
    given: str,
    list_type: str,
    *,
    out: bool = True,
    origin: str = "API",
) -> None:
    """Put the identity *given* on a list, or take it off, and keep a record of it."""
    identity = plain_identity(given)
    listed = region.store.consents.setdefault((app_id, list_type), {})
    operation = "OPERATION_UPDATE" if identity in listed else "OPERATION_INSERT"
    if out:
        listed[identity] = None
    else:
        operation = "OPERATION_DELETE"
        listed.pop(identity, None)
    record = {
        "origin": f"ORIGIN_{origin}",
        "operation": operation,
        "list_type": list_type,
        "project_id": region.settings.project_id,
        "app_id": app_id,
        "datetime": region.now(),
    }
    region.store.audit.setdefault((app_id, identity), []).append(record)


def _list(region: RegionState, call: OperationCall) -> Json:
    app_id = region.store.app(call.path["app_id"])["id"]
    listed = region.store.consents.get((app_id, call.path["list_type"]), {})
    rows = [(identity, {"identity": identity}) for identity in listed]
    found, token = page(rows, call.query, at_most=_MAX_PAGE)
    return {"identities": found} | next_page(token)


def _audit(region: RegionState, call: OperationCall) -> Json:
    app_id = region.store.app(call.path["app_id"])["id"]
    identity = plain_identity(call.path["identity"])
    records = region.store.audit.get((app_id, identity))
    if records is None:
        raise not_found("Identity")
    return {"identity": {"identity": identity}, "audit_records": records}


HANDLERS: dict[str, OperationHandler] = {
    "Batch_InsertConsents": _insert,
    "Consents_GetConsents": _list,
    "Consents_GetConsentsAuditRecords": _audit,
}
