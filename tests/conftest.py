"""Settings that every test shares."""

from hypothesis import HealthCheck, settings

# Time is judged in benchmarks, not per example: a busy machine would make a law look broken. The same examples every time, so that
# a red run can be repeated; the state machines' wider search is a matter of raising the counts.
settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
