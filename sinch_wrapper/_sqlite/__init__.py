"""SQLite files of our own: the journals of bulk jobs, the stores of callbacks (extra: cli)."""
