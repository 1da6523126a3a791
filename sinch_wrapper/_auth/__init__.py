"""Authentication: keys and tokens, where tokens come from, and how requests get them."""
