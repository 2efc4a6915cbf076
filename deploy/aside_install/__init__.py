"""The installer: pinned environments and the embedded model, with the standard library alone."""
