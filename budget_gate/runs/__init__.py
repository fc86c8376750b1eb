"""Runs: one job from its inputs to its posted result. Composes agents, gate, reports and GitHub; sees only their interfaces."""
