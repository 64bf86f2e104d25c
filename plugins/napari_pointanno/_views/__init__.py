"""What shows state and emits signals; never changes a model."""
