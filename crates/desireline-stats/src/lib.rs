//! desireline-stats
