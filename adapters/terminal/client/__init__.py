"""The person's side of the terminal: `aside chat`."""
