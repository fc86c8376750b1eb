"""Tickets that live outside GitHub. See ``interface``."""
