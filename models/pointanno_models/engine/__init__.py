"""Training, prediction and preview of any system: stages, steps, devices, checkpoints, the run folder."""
