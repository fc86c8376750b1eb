"""Ledgers: two-phase spending over several budgets in one atomic step. See ``interface`` for what every backend promises."""
