"""What every part of the helper stands on: errors, checks of input, threads, the version."""
