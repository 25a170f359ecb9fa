"""Figures about snapkit that anyone can repeat: ``python -m benchmarks``."""
