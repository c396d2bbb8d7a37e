//! From texts and integers to dense codes, without a string per event.

use std::borrow::Cow;

use hashbrown::{HashMap, HashTable};
use rustc_hash::FxBuildHasher;

use super::{Codes, KeyColumn, plain_integer};

/// A customer id or a name on its way in. Integers stand for their decimal text: `7` and `"7"` are the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// A text, kept as it is.
    Text(&'a str),
    /// An integer.
    Integer(i64),
}

impl<'a> From<&'a str> for Key<'a> {
    fn from(text: &'a str) -> Key<'a> {
        Key::Text(text)
    }
}

impl<'a> From<&'a String> for Key<'a> {
    fn from(text: &'a String) -> Key<'a> {
        Key::Text(text)
    }
}

impl<'a> From<&'a Cow<'_, str>> for Key<'a> {
    fn from(text: &'a Cow<'_, str>) -> Key<'a> {
        Key::Text(text)
    }
}

impl From<i64> for Key<'_> {
    fn from(number: i64) -> Self {
        Key::Integer(number)
    }
}

impl From<i32> for Key<'_> {
    fn from(number: i32) -> Self {
        Key::Integer(number.into())
    }
}

impl From<u32> for Key<'_> {
    fn from(number: u32) -> Self {
        Key::Integer(number.into())
    }
}

/// What a column of customers may hold.
pub trait AsKey {
    /// The key.
    fn as_key(&self) -> Key<'_>;
}

impl<T: AsKey + ?Sized> AsKey for &T {
    fn as_key(&self) -> Key<'_> {
        (**self).as_key()
    }
}

impl AsKey for str {
    fn as_key(&self) -> Key<'_> {
        Key::Text(self)
    }
}

impl AsKey for String {
    fn as_key(&self) -> Key<'_> {
        Key::Text(self)
    }
}

impl AsKey for i64 {
    fn as_key(&self) -> Key<'_> {
        Key::Integer(*self)
    }
}

impl AsKey for u32 {
    fn as_key(&self) -> Key<'_> {
        Key::Integer((*self).into())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    Integer(i64),
    /// A place in `ends`.
    Text(u32),
}

/// Distinct keys with dense codes in the order of first appearance. The same key as the one before costs a
/// comparison, a small integer one look into an array, any other key one look into a hash table.
#[derive(Clone, Debug, Default)]
pub(super) struct Interner {
    /// The code plus one of each integer below its length; 0 where there is none yet.
    small: Vec<u32>,
    /// The codes of all other integers.
    integers: HashMap<i64, u32, FxBuildHasher>,
    texts: HashTable<TextEntry>,
    keys: Vec<Stored>,
    bytes: String,
    ends: Vec<usize>,
    last_integer: Option<(i64, u32)>,
    last_text: Option<TextEntry>,
}

/// Half of a text's hash, its code, and where it is, so that a look-up touches the table and the text only.
#[derive(Clone, Copy, Debug)]
struct TextEntry {
    hash: u32,
    code: u32,
    start: usize,
    len: usize,
}

impl TextEntry {
    fn is(&self, text: &str, bytes: &str) -> bool {
        self.len == text.len() && bytes.get(self.start..self.start + self.len) == Some(text)
    }
}

impl Interner {
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn keys(&self) -> &[Stored] {
        &self.keys
    }

    pub(super) fn all_integers(&self) -> bool {
        self.ends.is_empty()
    }

    pub(super) fn stored_text(&self, place: u32) -> &str {
        text_at(&self.bytes, &self.ends, place)
    }

    /// The text of `code`.
    pub(super) fn name(&self, code: usize) -> Cow<'_, str> {
        match self.keys.get(code) {
            Some(Stored::Text(place)) => Cow::Borrowed(self.stored_text(*place)),
            Some(Stored::Integer(number)) => Cow::Owned(number.to_string()),
            None => Cow::Borrowed(""),
        }
    }

    #[inline]
    pub(super) fn intern(&mut self, key: Key<'_>) -> u32 {
        match key {
            Key::Text(text) => self.text(text),
            Key::Integer(number) => self.integer(number),
        }
    }

    #[inline]
    pub(super) fn integer(&mut self, number: i64) -> u32 {
        if let Some((last, code)) = self.last_integer
            && last == number
        {
            return code;
        }
        let small = usize::try_from(number).ok().and_then(|n| self.small.get(n));
        let code = match small {
            Some(code) if *code != 0 => code - 1,
            _ => self.other_integer(number),
        };
        self.last_integer = Some((number, code));
        code
    }

    fn other_integer(&mut self, number: i64) -> u32 {
        let next = code(self.keys.len());
        let place = usize::try_from(number).ok();
        // As long as integers are dense the array costs no more than the hash table would. It at least doubles, so
        // that moving codes over stays cheap whatever the integers are.
        let room = self.keys.len().saturating_add(1 << 10).saturating_mul(4);
        if place.is_some_and(|p| p >= self.small.len() && p < room) && room / 2 >= self.small.len()
        {
            self.small.resize(room, 0);
            let small = &mut self.small;
            self.integers.retain(|number, code| {
                let slot = usize::try_from(*number).ok().and_then(|n| small.get_mut(n));
                slot.map(|slot| *slot = *code + 1).is_none()
            });
        }
        let found = match place.and_then(|p| self.small.get_mut(p)) {
            Some(slot) if *slot != 0 => *slot - 1,
            Some(slot) => {
                *slot = next + 1;
                next
            }
            None => *self.integers.entry(number).or_insert(next),
        };
        if found == next {
            self.keys.push(Stored::Integer(number));
        }
        found
    }

    #[inline]
    pub(super) fn text(&mut self, text: &str) -> u32 {
        if let Some(last) = &self.last_text
            && last.is(text, &self.bytes)
        {
            return last.code;
        }
        match plain_integer(text) {
            Some(number) => self.integer(number),
            None => self.other_text(text),
        }
    }

    #[allow(clippy::cast_possible_truncation)] // half of the hash is kept on purpose
    fn other_text(&mut self, text: &str) -> u32 {
        let hash = xxhash_rust::xxh3::xxh3_64(text.as_bytes()) as u32;
        let bytes = &self.bytes;
        let found = self
            .texts
            .find(spread(hash), |e| e.hash == hash && e.is(text, bytes))
            .copied();
        let entry = found.unwrap_or_else(|| {
            let code = code(self.keys.len());
            let entry = TextEntry {
                hash,
                code,
                start: self.bytes.len(),
                len: text.len(),
            };
            self.keys.push(Stored::Text(self::code(self.ends.len())));
            self.bytes.push_str(text);
            self.ends.push(self.bytes.len());
            self.texts
                .insert_unique(spread(hash), entry, |e| spread(e.hash));
            entry
        });
        self.last_text = Some(entry);
        entry.code
    }

    /// Interns the rows of `column` that are not in `skip` (ascending), giving each row's code to `out`.
    /// A dictionary's texts are looked up once each, and only those that occur.
    pub(super) fn column(
        &mut self,
        column: &KeyColumn<'_>,
        skip: &[u32],
        mut out: impl FnMut(Option<u32>),
    ) {
        match column {
            KeyColumn::Texts(texts) => kept(texts, skip, |text| out(text.map(|t| self.text(t)))),
            KeyColumn::Integers(numbers) => {
                kept(numbers, skip, |number| out(number.map(|n| self.integer(n))))
            }
            KeyColumn::Dictionary { codes, values } => {
                const UNSEEN: u64 = u64::MAX;
                const MISSING: u64 = u64::MAX - 1;
                let mut known = vec![UNSEEN; values.len()];
                kept(codes, skip, |place| {
                    let slot = place.and_then(|p| known.get_mut(p as usize).map(|slot| (p, slot)));
                    let Some((place, slot)) = slot else {
                        return out(None);
                    };
                    if *slot == UNSEEN {
                        *slot = match values.get(place as usize).copied().flatten() {
                            Some(text) => u64::from(self.text(text)),
                            None => MISSING,
                        };
                    }
                    out(u32::try_from(*slot).ok());
                });
            }
        }
    }
}

fn code(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

fn text_at<'a>(bytes: &'a str, ends: &[usize], place: u32) -> &'a str {
    let place = place as usize;
    let start = if place == 0 {
        0
    } else {
        ends.get(place - 1).copied().unwrap_or(0)
    };
    ends.get(place)
        .and_then(|end| bytes.get(start..*end))
        .unwrap_or("")
}

/// The table picks its slot by the lowest and its tag by the highest bits, so both must depend on all of the hash.
fn spread(short: u32) -> u64 {
    u64::from(short).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(short)
}

/// Gives the rows that are not in `skip` to `each`, in order.
pub(super) fn kept<T: Copy>(rows: &[T], skip: &[u32], mut each: impl FnMut(T)) {
    if skip.is_empty() {
        for row in rows {
            each(*row);
        }
        return;
    }
    let mut skip = skip.iter().map(|s| *s as usize).peekable();
    for (i, row) in rows.iter().enumerate() {
        if skip.peek() == Some(&i) {
            skip.next();
        } else {
            each(*row);
        }
    }
}

impl KeyColumn<'_> {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            KeyColumn::Texts(rows) => rows.len(),
            KeyColumn::Integers(rows) => rows.len(),
            KeyColumn::Dictionary { codes, .. } => codes.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn is_missing(&self, row: usize) -> bool {
        match self {
            KeyColumn::Texts(rows) => rows[row].is_none(),
            KeyColumn::Integers(rows) => rows[row].is_none(),
            KeyColumn::Dictionary { codes, values } => codes[row]
                .and_then(|c| values.get(c as usize).copied().flatten())
                .is_none(),
        }
    }

    /// Whether no row at all is missing; quick for the usual case.
    pub(super) fn is_complete(&self) -> bool {
        match self {
            KeyColumn::Texts(rows) => rows.iter().all(Option::is_some),
            KeyColumn::Integers(rows) => rows.iter().all(Option::is_some),
            KeyColumn::Dictionary { codes, values } => {
                let all_named = values.iter().all(Option::is_some);
                if all_named {
                    codes
                        .iter()
                        .all(|c| c.is_some_and(|c| (c as usize) < values.len()))
                } else {
                    (0..codes.len()).all(|row| !self.is_missing(row))
                }
            }
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
            _ => self.widen(code),
        }
    }

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
        self.push(code);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_their_plain_texts_are_one() {
        let mut ids = Interner::default();
        let given = [
            Key::Integer(7),
            Key::Text("7"),
            Key::Text("007"),
            Key::Text(""),
            Key::Text("NA"),
            Key::Text("007"),
        ];
        let codes: Vec<u32> = given.into_iter().map(|k| ids.intern(k)).collect();
        assert_eq!(codes, [0, 0, 1, 2, 3, 1]);
        assert_eq!(
            (0..4).map(|i| ids.name(i).into_owned()).collect::<Vec<_>>(),
            ["7", "007", "", "NA"]
        );
        assert!(!ids.all_integers());
    }

    #[test]
    fn integers_of_any_size_keep_their_codes() {
        let mut ids = Interner::default();
        let spaced = |i: u32| i64::from(i) * if i.is_multiple_of(2) { 3 } else { -1_000_003 };
        for round in 0..2 {
            for i in 0..40_000 {
                assert_eq!(ids.integer(spaced(i)), i, "round {round}");
            }
        }
        let mut edges = Interner::default();
        for (code, number) in (0..).zip([i64::MAX, i64::MIN, 5_000, 0, 4_095, 4_096, 4_100, -1]) {
            assert_eq!((edges.integer(number), edges.integer(number)), (code, code));
            assert_eq!(edges.name(code as usize), number.to_string());
        }
        assert_eq!((edges.integer(5_000), edges.len()), (2, 8));
    }

    #[test]
    fn many_texts_keep_their_codes() {
        let mut ids = Interner::default();
        for round in 0..2 {
            for i in 0..5_000u32 {
                assert_eq!(ids.text(&format!("user-{i}")), i, "round {round}");
            }
        }
    }

    #[test]
    fn a_dictionary_is_translated_where_it_is_used() {
        let mut names = Interner::default();
        let column = KeyColumn::Dictionary {
            codes: &[Some(2), None, Some(9), Some(1), Some(2), Some(0)],
            values: &[None, Some("b"), Some("a"), Some("never used")],
        };
        let mut out = Vec::new();
        names.column(&column, &[4], |c| out.push(c));
        assert_eq!(out, [Some(0), None, None, Some(1), None]);
        assert_eq!(names.len(), 2);
        assert!(!column.is_complete());
    }

    #[test]
    fn codes_widen_as_needed() {
        let mut codes = Codes::default();
        let given = [0, 255, 256, 65_535, 65_536, 1];
        for code in given {
            codes.push(code);
        }
        assert_eq!((0..6).map(|i| codes.get(i)).collect::<Vec<_>>(), given);
    }
}
