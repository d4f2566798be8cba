"""The wire contract between a register and central: what both sides import, and nothing that only one of them needs."""
