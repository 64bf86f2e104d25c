"""Networks, optimisers and data for the engine; imported in worker processes only."""
