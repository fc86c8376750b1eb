"""What users configure: policy file, prices, environment. Faults come with file, line and what to write instead."""
