"""The rules: pure functions and immutable values. Standard library only; no files, network, environment or clock."""
