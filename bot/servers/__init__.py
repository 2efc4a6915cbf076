"""The servers of the embedded mode, as children of one process."""
