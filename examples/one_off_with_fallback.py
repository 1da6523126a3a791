"""One message: WhatsApp first, SMS where WhatsApp does not reach the person.

python examples/one_off_with_fallback.py +46700000001
"""

import os
import sys

from sinch_wrapper import APIConnectionError, APIStatusError, Recipient, Sinch, text


def main(number: str) -> int:
    """Send, and say what happened; the exit code is 3 where nobody can know."""
    to = Recipient.identities([("WHATSAPP", number), ("SMS", number)])
    with Sinch() as sinch:
        try:
            sent = sinch.send(
                app_id=os.environ["SINCH_APP_ID"],
                to=to,
                message=text("Your table is ready"),
                ttl=600,  # seconds: after that nobody needs it
            )
        except APIStatusError as error:
            for violation in error.field_violations:
                print(f"{violation.field}: {violation.description}")
            return 1
        except APIConnectionError as error:
            print(f"{error.outcome}: {error}")
            return 3 if error.outcome == "unknown" else 1
    print(f"accepted: {sent.message_id}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
