"""Authentication: keys and tokens, where tokens come from, and what a request is given of them."""
