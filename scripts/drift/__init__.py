"""What changed between documents, and what that means for generated code and wrapper."""
