"""The arguments of each command; importing these files costs little."""
