//! How much of anything is taken from an input.

/// Bounds on what an input may demand; going over one is a typed error (or a quarantined row) before memory is spent.
///
/// ```
/// use desireline_io::Limits;
/// let strict = Limits { field_bytes: 4096, ..Limits::default() };
/// assert_eq!(strict.columns, 10_000);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest field in bytes (1 MiB); a row with a longer one goes to the quarantine.
    pub field_bytes: usize,
    /// The longest row or line in bytes (16 MiB); a longer one goes to the quarantine.
    pub line_bytes: usize,
    /// How many bytes of delimited text a thread takes at a time (16 MiB); more where a record is longer.
    pub block_bytes: usize,
    /// The most columns (10,000).
    pub columns: usize,
    /// The most bytes one compressed input may unpack to (256 GiB).
    pub decompressed_bytes: u64,
    /// The most bytes that one compressed byte may become (300), looked at from the first 64 MiB unpacked on.
    pub decompressed_ratio: u64,
    /// The most distinct event names (65,536).
    pub names: usize,
    /// The deepest nesting of a JSON line (64; at most 120).
    pub json_depth: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            field_bytes: 1 << 20,
            line_bytes: 1 << 24,
            block_bytes: 1 << 24,
            columns: 10_000,
            decompressed_bytes: 1 << 38,
            decompressed_ratio: 300,
            names: 65_536,
            json_depth: 64,
        }
    }
}

/// Unpacked bytes below which the ratio is not looked at: small repetitive files are no bombs.
pub(crate) const RATIO_GRACE: u64 = 64 << 20;
