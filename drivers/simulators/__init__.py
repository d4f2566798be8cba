"""The other end of every wire, shipped with the product: the demo, training and tests use them."""
