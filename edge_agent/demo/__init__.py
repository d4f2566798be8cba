"""The sample shop, its simulated counter, and a scripted day: what `edge-agent demo` runs."""
