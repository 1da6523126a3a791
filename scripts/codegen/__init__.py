"""From the documents in openapi/ to the packages in generated/: overlay, normalise, render."""
