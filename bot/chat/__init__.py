"""What a chat remembers: its context in Redis, the prompt built from it, and the keys that seal it."""
