"""Resources of the sandbox are created, read, changed, listed and deleted."""

from typing import Any

import pytest

from tests.helpers.sandbox import Api

C = "/conversation/v1/~"
T = "/template/v2/~"
IDENTITY = {"channel": "SMS", "identity": "+46700000001"}


def _contact(api: Api, **fields: Any) -> dict[str, Any]:
    body = {"channel_identities": [IDENTITY], "language": "EN"} | fields
    contact: dict[str, Any] = api.ok("POST", f"{C}/contacts", json=body)
    return contact


def test_contact_is_gone_after_delete(api: Api) -> None:
    """Reading a deleted contact gives 404 in the wrapped error shape."""
    path = f"{C}/contacts/{_contact(api)['id']}"
    api.ok("DELETE", path)

    response = api("GET", path)

    assert response.status_code == 404
    assert response.json()["error"]["status"] == "NOT_FOUND"


def test_update_without_mask_changes_given_fields(api: Api) -> None:
    """A PATCH without a mask changes the fields it carries and keeps the others."""
    contact = _contact(api, email="ada@example.com")

    changed = api.ok("PATCH", f"{C}/contacts/{contact['id']}", json={"display_name": "Ada"})

    assert contact | {"display_name": "Ada"} == changed


def test_update_mask_limits_and_clears(api: Api) -> None:
    """A masked field comes from the body or goes; a field outside the mask stays."""
    contact = _contact(api, email="ada@example.com", external_id="7")
    body = {"display_name": "Ada", "external_id": "8"}

    changed = api.ok(
        "PATCH",
        f"{C}/contacts/{contact['id']}",
        json=body,
        params={"update_mask": "display_name,email"},
    )

    assert (changed["display_name"], changed["email"], changed["external_id"]) == ("Ada", "", "7")


def test_update_mask_reaches_into_objects(api: Api) -> None:
    """A dotted path changes one field of an object."""
    app_id = api.app(retention_policy={"retention_type": "PERSIST_RETENTION_POLICY", "ttl_days": 9})

    changed = api.ok(
        "PATCH",
        f"{C}/apps/{app_id}",
        json={"retention_policy": {"ttl_days": 3}},
        params={"update_mask": "retention_policy.ttl_days"},
    )

    expected = {"retention_type": "PERSIST_RETENTION_POLICY", "ttl_days": 3}
    assert expected == changed["retention_policy"]


def test_list_pages_through_everything_once(api: Api) -> None:
    """Following next_page_token shows each contact once, in the order of creation."""
    made = [_contact(api, external_id="paged")["id"] for _ in range(7)]
    seen: list[str] = []
    token = ""
    while True:
        params = {"external_id": "paged", "page_size": "3", "page_token": token}
        found = api.ok("GET", f"{C}/contacts", params=params)
        seen += [each["id"] for each in found["contacts"]]
        token = found.get("next_page_token", "")
        if not token:
            break

    assert made == seen


@pytest.mark.parametrize("params", [{"page_size": "-1"}, {"page_token": "%%%"}])
def test_list_refuses_bad_paging(api: Api, params: dict[str, str]) -> None:
    """A negative page size and a foreign page token are 400."""
    assert api("GET", f"{C}/contacts", params=params).status_code == 400


def test_merge_moves_identities(api: Api) -> None:
    """Merging keeps the destination with the identities of both and deletes the source."""
    other = {"channel": "WHATSAPP", "identity": "46700000001"}
    kept = _contact(api)
    gone = _contact(api, channel_identities=[other])

    merged = api.ok("POST", f"{C}/contacts/{kept['id']}:merge", json={"source_id": gone["id"]})

    assert ["SMS", "WHATSAPP"] == [each["channel"] for each in merged["channel_identities"]]
    assert api("GET", f"{C}/contacts/{gone['id']}").status_code == 404


def test_identity_conflicts_name_the_contacts(api: Api) -> None:
    """An identity that two contacts share is listed with both."""
    shared = [{"channel": "SMS", "identity": "+46709999999"}]
    made = [_contact(api, channel_identities=shared)["id"] for _ in range(2)]

    conflicts = api.ok("GET", f"{C}/contacts:identityConflicts", params={"page_size": "1000"})

    found = [each for each in conflicts["conflicts"] if each["identity"] == "46709999999"]
    assert [sorted(made)] == [each["contact_ids"] for each in found]


def test_app_starts_in_dispatch_mode_and_shows_its_queue(api: Api) -> None:
    """A new app has the documented default mode and queue limit."""
    app = api.ok("GET", f"{C}/apps/{api.app()}")

    assert (app["processing_mode"], app["queue_stats"]["outbound_limit"]) == ("DISPATCH", 500_000)


def test_deleting_app_deletes_its_webhooks(api: Api) -> None:
    """The webhooks of an app go with it."""
    app_id = api.app()
    webhook_id = api.webhook(app_id, "http://127.0.0.1:9/")
    api.ok("DELETE", f"{C}/apps/{app_id}")

    assert api("GET", f"{C}/webhooks/{webhook_id}").status_code == 404


def test_webhooks_are_limited_and_unique(api: Api) -> None:
    """An app takes five webhooks, each with another target."""
    app_id = api.app()
    for number in range(5):
        api.webhook(app_id, f"http://127.0.0.1:9/{number}")
    sixth = {"app_id": app_id, "target": "http://127.0.0.1:9/6"}
    twin = {"app_id": api.app(), "target": "http://127.0.0.1:9/0"}
    api.ok("POST", f"{C}/webhooks", json=twin)

    assert api("POST", f"{C}/webhooks", json=sixth).status_code == 400
    assert api("POST", f"{C}/webhooks", json=twin).status_code == 400


def test_project_settings_live_once(api: Api) -> None:
    """Settings are created once, changed, deleted, and then gone."""
    path = f"{C}/settings"
    api.ok("POST", path, json={"contact_settings": {"unified_contact_id_enabled": False}})
    assert api("POST", path, json={}).status_code == 400
    body = {"contact_settings": {"unified_contact_id_enabled": True}}
    assert body == api.ok("PATCH", path, json=body)["settings"]
    api.ok("DELETE", path)
    assert api("GET", path).status_code == 404
