"""What the assistant can do: answer, and the slash commands."""
