"""A carousel of cards on RCS, with buttons.

python examples/rcs_carousel.py +46700000001
"""

import os
import sys

from sinch_wrapper import Recipient, Sinch, card, carousel

DISHES = {"Fish soup": "soup.jpg", "Dumplings": "dumplings.jpg", "Pancakes": "pancakes.jpg"}


def main(number: str) -> int:
    """Send a card for each dish; an answer comes as a callback of MESSAGE_INBOUND."""
    cards = [
        card(
            dish,
            description="With bread and salad",
            media=f"https://example.com/{picture}",
            height="MEDIUM",
            choices=[
                {"text_message": {"text": "Order"}, "postback_data": dish},
                {"url_message": {"title": "Recipe", "url": "https://example.com/recipes"}},
            ],
        )
        for dish, picture in DISHES.items()
    ]
    with Sinch() as sinch:
        sent = sinch.send(
            app_id=os.environ["SINCH_APP_ID"], to=Recipient.rcs(number), message=carousel(cards)
        )
    print(f"accepted: {sent.message_id}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
