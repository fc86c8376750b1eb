"""GitHub: read pull requests, keep one comment and one check run, speak to the Actions runner. See ``interface``."""
