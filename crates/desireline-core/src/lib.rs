//! desireline-core
