"""Notify: deliver a message to people; decide nothing. Who is told, and what, is decided above."""
