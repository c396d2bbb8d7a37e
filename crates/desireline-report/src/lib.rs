//! desireline-report
