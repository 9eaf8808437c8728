"""Flow matching: path, solvers, guidance."""
