"""From an address to a file in openapi/: download, check, put in place, record."""
