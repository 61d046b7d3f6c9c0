"""What speaks to a model: `driver` is what all have, one folder a family, one module a way of talking."""
