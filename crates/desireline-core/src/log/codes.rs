//! Columns of codes in the narrowest width that holds them.

use super::Array;

/// A column of codes, one per event or customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codes {
    /// Up to 256 distinct codes.
    U8(Array<u8>),
    /// Up to 65,536 distinct codes.
    U16(Array<u16>),
    /// Everything else.
    U32(Array<u32>),
}

/// A borrowed stretch of [`Codes`].
#[derive(Clone, Copy, Debug)]
pub enum CodeSlice<'a> {
    /// One byte a code.
    U8(&'a [u8]),
    /// Two bytes a code.
    U16(&'a [u16]),
    /// Four bytes a code.
    U32(&'a [u32]),
}

/// Runs `$body` with `$slice` bound to the slice of whatever width `$codes` has, so that a kernel's inner loop
/// is compiled once per width instead of asking for the width at each event.
#[macro_export]
macro_rules! with_codes {
    ($codes:expr, $slice:ident => $body:expr) => {{
        // Turning a code into a `u32` is needed for two of the three widths.
        #[allow(
            clippy::useless_conversion,
            clippy::let_unit_value,
            clippy::let_and_return
        )]
        let out = match $codes {
            $crate::log::CodeSlice::U8($slice) => $body,
            $crate::log::CodeSlice::U16($slice) => $body,
            $crate::log::CodeSlice::U32($slice) => $body,
        };
        out
    }};
}

impl Default for Codes {
    fn default() -> Codes {
        Codes::U8(Array::new())
    }
}

impl Codes {
    /// Stores `values` in the narrowest width for codes below `n_distinct`.
    pub fn narrow(values: &[u32], n_distinct: usize) -> Codes {
        Codes::gather(values.len(), n_distinct, |i| values[i])
    }

    /// Stores `len` codes below `n_distinct`, each asked of `value`.
    #[allow(clippy::cast_possible_truncation)] // the width is chosen to hold every code
    pub fn gather(len: usize, n_distinct: usize, value: impl Fn(usize) -> u32) -> Codes {
        if n_distinct <= 1 << 8 {
            Codes::U8((0..len).map(|i| value(i) as u8).collect())
        } else if n_distinct <= 1 << 16 {
            Codes::U16((0..len).map(|i| value(i) as u16).collect())
        } else {
            Codes::U32((0..len).map(value).collect())
        }
    }

    /// The codes as one slice.
    #[inline]
    pub fn as_slice(&self) -> CodeSlice<'_> {
        match self {
            Codes::U8(v) => CodeSlice::U8(v),
            Codes::U16(v) => CodeSlice::U16(v),
            Codes::U32(v) => CodeSlice::U32(v),
        }
    }

    /// How many codes there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The code at `i`.
    #[inline]
    pub fn get(&self, i: usize) -> u32 {
        self.as_slice().get(i)
    }

    /// Bytes held.
    pub fn held_bytes(&self) -> usize {
        match self {
            Codes::U8(v) => v.held_bytes(),
            Codes::U16(v) => v.held_bytes(),
            Codes::U32(v) => v.held_bytes(),
        }
    }
}

impl Codes {
    /// Appends a code, widening the column when the code needs it.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // guarded by the comparisons
    pub(super) fn push(&mut self, code: u32) {
        match self {
            Codes::U8(v) if code <= u32::from(u8::MAX) => v.make_mut().push(code as u8),
            Codes::U16(v) if code <= u32::from(u16::MAX) => v.make_mut().push(code as u16),
            Codes::U32(v) => v.make_mut().push(code),
            _ => {
                self.widen(code);
                self.push(code);
            }
        }
    }

    /// Appends codes, widening the column when one of them needs it.
    #[allow(clippy::cast_possible_truncation)] // widened before
    pub(super) fn extend(&mut self, codes: &[u32]) {
        let largest = codes.iter().fold(0, |all, c| all | c);
        match self {
            Codes::U8(_) if largest > u32::from(u8::MAX) => self.widen(largest),
            Codes::U16(_) if largest > u32::from(u16::MAX) => self.widen(largest),
            _ => {}
        }
        match self {
            Codes::U8(v) => v.make_mut().extend(codes.iter().map(|c| *c as u8)),
            Codes::U16(v) => v.make_mut().extend(codes.iter().map(|c| *c as u16)),
            Codes::U32(v) => v.make_mut().extend_from_slice(codes),
        }
    }

    /// Makes room for codes as large as `code`.
    #[cold]
    fn widen(&mut self, code: u32) {
        let wide = |len: usize| (0..len).map(|i| self.get(i));
        *self = if code <= u32::from(u16::MAX) {
            Codes::U16(
                wide(self.len())
                    .map(|c| u16::try_from(c).unwrap_or(u16::MAX))
                    .collect(),
            )
        } else {
            Codes::U32(wide(self.len()).collect())
        };
    }
}

impl<'a> CodeSlice<'a> {
    /// How many codes there are.
    #[inline]
    pub fn len(&self) -> usize {
        with_codes!(*self, s => s.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The code at `i`.
    #[inline]
    pub fn get(&self, i: usize) -> u32 {
        match self {
            CodeSlice::U8(s) => u32::from(s[i]),
            CodeSlice::U16(s) => u32::from(s[i]),
            CodeSlice::U32(s) => s[i],
        }
    }

    /// The stretch from `start` to before `end`.
    pub fn slice(&self, start: usize, end: usize) -> CodeSlice<'a> {
        match self {
            CodeSlice::U8(s) => CodeSlice::U8(&s[start..end]),
            CodeSlice::U16(s) => CodeSlice::U16(&s[start..end]),
            CodeSlice::U32(s) => CodeSlice::U32(&s[start..end]),
        }
    }
}
