"""Generation: networks that learn to make pictures like those they were shown."""
