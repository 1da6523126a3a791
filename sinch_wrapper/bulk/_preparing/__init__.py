"""From recipients to a job on disk, before anything leaves."""
