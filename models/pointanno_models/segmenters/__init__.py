"""Networks that several systems train."""
