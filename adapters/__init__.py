"""The platforms people chat on: one folder an adapter, one contract for all of them."""
