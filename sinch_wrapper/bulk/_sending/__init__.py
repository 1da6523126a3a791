"""What leaves when, what its end means, and the two ways to run it."""
