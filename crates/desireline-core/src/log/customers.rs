//! Customer ids, kept as they were written.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::Array;

/// The ids of a block's customers in ascending order.
///
/// `007` and `7` are two customers. Where every id of a log is the plain decimal form of an `i64`, ids are kept as
/// numbers and ordered as numbers; otherwise as text, ordered by bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomerIds {
    /// Ids that are plain decimal integers.
    Integers(Array<i64>),
    /// Any other ids: all texts end to end, and where each begins.
    Texts {
        /// The texts in UTF-8, end to end.
        bytes: Array<u8>,
        /// Where each text begins, with the end of the last: one entry more than customers.
        offsets: Array<u64>,
    },
}

impl CustomerIds {
    /// The ids in the order given, which must be ascending by bytes.
    pub(super) fn from_texts<S: AsRef<str>>(ids: impl IntoIterator<Item = S>) -> CustomerIds {
        let (mut bytes, mut offsets) = (String::new(), vec![0]);
        for id in ids {
            bytes.push_str(id.as_ref());
            offsets.push(bytes.len() as u64);
        }
        CustomerIds::Texts {
            bytes: bytes.into_bytes().into(),
            offsets: offsets.into(),
        }
    }

    /// The ids in the order given, which must be ascending as numbers where all are plain integers, else by bytes.
    pub(super) fn from_ascending(ids: &[Cow<'_, str>]) -> CustomerIds {
        // Some of a longer list by bytes may be all integers and yet not ascending as numbers.
        match ids
            .iter()
            .map(|id| plain_integer(id))
            .collect::<Option<Vec<i64>>>()
        {
            Some(numbers) if numbers.is_sorted() => CustomerIds::Integers(numbers.into()),
            _ => CustomerIds::from_texts(ids),
        }
    }

    /// How many customers there are.
    pub fn len(&self) -> usize {
        match self {
            CustomerIds::Integers(ids) => ids.len(),
            CustomerIds::Texts { offsets, .. } => offsets.len().saturating_sub(1),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id of customer `i`; empty past the end.
    pub fn get(&self, i: usize) -> Cow<'_, str> {
        match self {
            CustomerIds::Integers(ids) => ids
                .get(i)
                .map_or(Cow::Borrowed(""), |id| Cow::Owned(id.to_string())),
            CustomerIds::Texts { .. } => Cow::Borrowed(self.text(i)),
        }
    }

    fn text(&self, i: usize) -> &str {
        let CustomerIds::Texts { bytes, offsets } = self else {
            return "";
        };
        match (offsets.get(i), offsets.get(i + 1)) {
            (Some(&from), Some(&to)) => usize::try_from(from)
                .ok()
                .zip(usize::try_from(to).ok())
                .and_then(|(a, b)| bytes.get(a..b))
                .and_then(|text| std::str::from_utf8(text).ok())
                .unwrap_or(""),
            _ => "",
        }
    }

    /// The place of `id`, if it is one of these customers. O(log n).
    pub fn find(&self, id: &str) -> Option<usize> {
        let wanted_number = plain_integer(id);
        let mut range = 0..self.len();
        while !range.is_empty() {
            let middle = range.start + range.len() / 2;
            let order = match self {
                CustomerIds::Integers(ids) => ids[middle].cmp(&wanted_number?),
                CustomerIds::Texts { .. } => self.text(middle).cmp(id),
            };
            match order {
                Ordering::Equal => return Some(middle),
                Ordering::Less => range.start = middle + 1,
                Ordering::Greater => range.end = middle,
            }
        }
        None
    }

    /// Bytes held.
    pub fn held_bytes(&self) -> usize {
        match self {
            CustomerIds::Integers(ids) => ids.held_bytes(),
            CustomerIds::Texts { bytes, offsets } => bytes.held_bytes() + offsets.held_bytes(),
        }
    }
}

/// The number that `text` is the plain decimal form of: `7` but neither `007`, `+7` nor `-0`.
pub fn plain_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (digits == "0" && digits.len() == text.len() || !digits.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_plain_form_is_a_number() {
        for (text, number) in [
            ("7", Some(7)),
            ("-7", Some(-7)),
            ("0", Some(0)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("007", None),
            ("-0", None),
            ("+7", None),
            ("", None),
            ("-", None),
            ("NA", None),
            ("7 ", None),
            ("9223372036854775808", None),
        ] {
            assert_eq!(plain_integer(text), number, "{text}");
        }
    }

    #[test]
    fn ids_are_found() {
        let numbers = CustomerIds::Integers(vec![-3, 7, 12].into());
        assert_eq!(numbers.find("7"), Some(1));
        assert_eq!(numbers.find("007"), None);
        let texts = CustomerIds::Texts {
            bytes: b"007NA".to_vec().into(),
            offsets: vec![0, 3, 5].into(),
        };
        assert_eq!(
            (texts.find("NA"), texts.find("007"), texts.find("7")),
            (Some(1), Some(0), None)
        );
        assert_eq!(texts.get(1), "NA");
    }
}
