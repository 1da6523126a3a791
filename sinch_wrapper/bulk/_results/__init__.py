"""What became of a job: counts, every recipient, errors, and who is sent to again."""
