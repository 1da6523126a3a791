"""Pictures of the command at work, for the documentation."""
