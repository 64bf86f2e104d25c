"""Plain state of the window, without Qt."""
