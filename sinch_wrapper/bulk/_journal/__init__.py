"""The file of a job: its tables, its requests, what became of them."""
