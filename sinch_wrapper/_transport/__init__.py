"""The way to the network: the HTTP client, the retrying transport and the connection pools."""
