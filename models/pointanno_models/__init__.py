"""The systems that learn segmentation from points, and the engine that trains them."""
