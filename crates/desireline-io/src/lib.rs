//! desireline-io
