"""The gate: route, estimate the worst case, reserve, call, settle or hold."""
