"""Speech recognition engines: all that knows torch. protocol.py is what the others see."""
