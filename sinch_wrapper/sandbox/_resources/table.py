"""The handler of each operation."""

from sinch_wrapper.sandbox._region import OperationHandler
from sinch_wrapper.sandbox._resources import (
    apps,
    batches,
    consents,
    contacts,
    conversations,
    events,
    injections,
    messages,
    project,
    templates,
    webhooks,
)

HANDLERS: dict[str, OperationHandler] = {
    **apps.HANDLERS,
    **batches.HANDLERS,
    **consents.HANDLERS,
    **contacts.HANDLERS,
    **conversations.HANDLERS,
    **events.HANDLERS,
    **injections.HANDLERS,
    **messages.HANDLERS,
    **project.HANDLERS,
    **templates.HANDLERS,
    **webhooks.HANDLERS,
}
