"""A platform in memory, shipped for tests and demonstrations."""
