"""Verifies a release."""
