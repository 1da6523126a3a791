"""What the wrapper costs, side by side with the bare HTTP library and with the official SDK."""
