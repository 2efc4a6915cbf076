"""Chatting from a terminal: the reference adapter."""
