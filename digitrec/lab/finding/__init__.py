"""Train the finder: scenes, a small U-Net and its recipe."""
