"""The operations of the three APIs, by resource."""
