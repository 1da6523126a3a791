"""Contacts at Sinch as they are in a customer list: new ones made, changed ones updated.

python examples/contacts_sync.py customers.csv   # customer,phone,name
"""

import csv
import sys
from pathlib import Path

from sinch_conversation_api.models import Contact

from sinch_wrapper import UNSET, Sinch, paginate


def contacts(sinch: Sinch) -> dict[str, Contact]:
    """The contacts that have an id of ours, by that id."""
    found: dict[str, Contact] = {}
    for each in paginate(sinch.conversation.contact.list_contacts, page_size=20):
        if each.external_id:
            found[each.external_id] = each
    return found


def main(path: str) -> int:
    """Bring the contacts in line; run it as often as you like."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        customers = list(csv.DictReader(file))
    with Sinch() as sinch:
        known = contacts(sinch)
        new = [
            {
                "channel_identities": [{"channel": "SMS", "identity": each["phone"]}],
                "language": "EN",
                "external_id": each["customer"],
                "display_name": each["name"],
            }
            for each in customers
            if each["customer"] not in known
        ]
        report = sinch.bulk.create_contacts(new) if new else None
        changed = 0
        for each in customers:
            contact = known.get(each["customer"])
            if contact is None or contact.id is UNSET or contact.display_name == each["name"]:
                continue
            name = {"display_name": each["name"]}
            sinch.conversation.contact.update_contact(
                contact.id, body=name, update_mask=["display_name"]
            )
            changed += 1
    made = report.accepted if report else 0
    print(f"{made} made, {changed} changed, {len(customers) - made - changed} as they were")
    return 0 if made == len(new) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
