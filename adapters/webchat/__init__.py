"""The web chat: rooms on a page of our own, for people without any other messenger."""
