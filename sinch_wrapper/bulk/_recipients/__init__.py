"""Recipients as they come: read, checked, and made into the text of requests."""
