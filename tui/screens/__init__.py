"""Screens: one for each thing that an associate does."""
