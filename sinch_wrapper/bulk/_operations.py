"""The batch operations that a job can be made of, and how each settles a doubt."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

__all__ = ["BATCH_OPERATIONS", "BatchOperation", "DoubtRule"]

DoubtRule: TypeAlias = Literal["look_up", "repeat", "keep"]
"""How the doubt about a request is settled: look it up, repeat it (harmless), or keep it."""


@dataclass(frozen=True, slots=True)
class BatchOperation:
    """One batch operation.

    *items* is the field of the request that holds its items; *doubt* says what happens to a
    request whose outcome is unknown; *noun* is for people.
    """

    name: str
    resource: str
    method: str
    items: str
    doubt: DoubtRule
    noun: str = "recipients"

    @property
    def is_messages(self) -> bool:
        """Whether its items are recipients of a message."""
        return self.resource == "messages"


_ALL: Final = (
    BatchOperation("messages", "messages", "send_batch", "recipient_and_params", "look_up"),
    # The older path has no look-up, so a doubt stays one.
    BatchOperation(
        "messages-v1beta", "messages", "send_batch_v1_beta", "recipient_and_params", "keep"
    ),
    # A contact that was perhaps created would be there twice.
    BatchOperation(
        "create-contacts", "contacts", "create_contacts", "contacts", "keep", "contacts"
    ),
    # Deleting again deletes nothing else.
    BatchOperation(
        "delete-contacts", "contacts", "delete_contacts", "contact_ids", "repeat", "contacts"
    ),
    # Documented: none or a part may be stored after a failure, repeat the request later.
    BatchOperation(
        "insert-consents", "consents", "insert_consents", "consent_records", "repeat", "records"
    ),
)

BATCH_OPERATIONS: Final[Mapping[str, BatchOperation]] = {kind.name: kind for kind in _ALL}
