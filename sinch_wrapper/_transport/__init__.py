"""The way to the wire: authenticated, paced, repeated, routed to a pool of connections."""
