"""What operators see: events, logs and metrics, names in one place."""
