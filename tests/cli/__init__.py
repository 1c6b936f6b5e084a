"""The installed command, as the people and the schedulers that run it meet it."""
