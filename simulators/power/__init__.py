"""What a meter is connected to: the supply and the load, and how both change."""
