"""What enters: addressing, policy and the durable acceptance of mentions."""
