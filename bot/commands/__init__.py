"""The `aside` command, one subcommand a file."""
