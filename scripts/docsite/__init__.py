"""The documentation as a site, and as text for assistants."""
