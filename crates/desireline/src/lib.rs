//! desireline
