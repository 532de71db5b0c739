"""Recognition: architectures as graphs and as Keras networks."""
