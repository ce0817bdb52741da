"""How fast swinlite is, measured; nothing here is part of the package or the container."""
