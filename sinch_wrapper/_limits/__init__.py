"""How fast requests may leave: slots on a shared schedule, and the rate after a 429."""
