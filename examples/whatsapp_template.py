"""A WhatsApp template with parameters: what WhatsApp takes when a person has not written lately.

python examples/whatsapp_template.py +46700000001 Ada
"""

import os
import sys

from sinch_wrapper import Recipient, Sinch, template, template_reference


def main(number: str, name: str) -> int:
    """Send the template that was approved for WhatsApp under the name `order_left`."""
    message = template(
        channel={
            "WHATSAPP": template_reference(
                "order_left", version="1", language_code="en", parameters={"body[1]text": name}
            )
        }
    )
    with Sinch() as sinch:
        sent = sinch.send(
            app_id=os.environ["SINCH_APP_ID"], to=Recipient.whatsapp(number), message=message
        )
    print(f"accepted: {sent.message_id}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
