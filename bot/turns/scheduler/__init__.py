"""Which chat is served next: start-time fair queueing with leases and growing tokens."""
