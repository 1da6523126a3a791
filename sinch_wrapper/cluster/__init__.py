"""Jobs past one machine: in PostgreSQL, sent by any number of workers."""
