"""One file per way of paying; a market's configuration names them."""
