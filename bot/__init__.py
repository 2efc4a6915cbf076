"""The assistant: what enters, the life of a turn, what a chat remembers, what it can do, and the roles that run it."""
