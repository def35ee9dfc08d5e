"""The domain of billing: pure functions from frames to frames, one module per concept of a billing clerk."""
