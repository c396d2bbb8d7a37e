//! Expressions against columns.

use super::*;

struct Shop;

impl Schema for Shop {
    fn field_type(&self, field: &Field) -> Result<FieldType, Vec<String>> {
        match field.to_string().as_str() {
            "event" | "customer" | "channel" | "attr.url" => Ok(FieldType::Text),
            "time" => Ok(FieldType::Time),
            "value" => Ok(FieldType::Money),
            "attr.items" => Ok(FieldType::Integer),
            "attr.rating" => Ok(FieldType::Decimal),
            "person.member" => Ok(FieldType::Boolean),
            _ => Err([
                "event",
                "customer",
                "time",
                "value",
                "channel",
                "attr.url",
                "attr.items",
                "attr.rating",
                "person.member",
            ]
            .map(str::to_owned)
            .to_vec()),
        }
    }
}

#[test]
fn what_fits() {
    for text in [
        "purchase",
        "event in ['a', 'b'] and channel > 'm'",
        "time >= '2024-05-01' and time < '2024-05-01T12:00:00+02:00' and time != '2024-05-01 10:00'",
        "value >= 20 and value < 20.5",
        "attr.items in [1, 2.5] and attr.rating == 3",
        "person.member == true and person.member in [true, false]",
        "attr.url like '/a/:b' or attr.url ~ '^a'",
        "exists value and exists person.member",
        "first(nth(after(channel = 'web', 1d), 2))",
    ] {
        assert_eq!(parse(text).check(&Shop), Ok(()), "{text}");
    }
}

#[test]
fn what_does_not() {
    for (text, message) in [
        (
            "a and chanel = 'web'",
            "at column 7: unknown field `chanel`; did you mean `channel`?",
        ),
        (
            "exists attr.itms",
            "at column 1: unknown field `attr.itms`; did you mean `attr.items`?",
        ),
        (
            "first(`Case ID` = 'x')",
            "at column 7: unknown field `Case ID`; known fields are `event`, `customer`, `time`, `value`, `channel`, `attr.url`, `attr.items`, `attr.rating` and 1 more",
        ),
        (
            "channel == 5",
            "at column 1: `channel` is text, which cannot be compared with a whole number (`5`); text stands in quotes: \"5\"",
        ),
        (
            "channel in ['a', 5]",
            "at column 1: `channel` is text, which cannot be compared with a whole number (`5`); text stands in quotes: \"5\"",
        ),
        (
            "value >= '20'",
            "at column 1: `value` is money, which cannot be compared with text (`\"20\"`); numbers stand without quotes: `20`",
        ),
        (
            "attr.items = 'many'",
            "at column 1: `attr.items` is a whole number, which cannot be compared with text (`\"many\"`)",
        ),
        (
            "attr.rating > true",
            "at column 1: `attr.rating` is a decimal number, which cannot be compared with true or false (`true`)",
        ),
        (
            "person.member > true",
            "at column 1: `person.member` is true or false, which cannot be put in order; use == or !=",
        ),
        (
            "person.member = 'yes'",
            "at column 1: `person.member` is true or false, which cannot be compared with text (`\"yes\"`); compare with true or false",
        ),
        (
            "time > 5",
            "at column 1: `time` is a time, which cannot be compared with a whole number (`5`); write a date or an RFC 3339 time in quotes: \"2024-05-01\", \"2024-05-01T12:30:00Z\"",
        ),
        (
            "time > 'soon'",
            "at column 1: `time` is a time, which cannot be compared with `soon`; write a date or an RFC 3339 time in quotes: \"2024-05-01\", \"2024-05-01T12:30:00Z\"",
        ),
        (
            "not time like '2024*'",
            "at column 5: `time` is a time, which cannot be matched with `like`; patterns work on text",
        ),
        (
            "value ~ '2'",
            "at column 1: `value` is money, which cannot be matched with `~`; patterns work on text",
        ),
        (
            "a\nand value ~ '2'",
            "at line 2, column 5: `value` is money, which cannot be matched with `~`; patterns work on text",
        ),
    ] {
        let error = parse(text).check(&Shop).unwrap_err();
        assert_eq!(error.to_string(), message, "{text}");
    }
    let built = event("a") & col("chanel").eq("web");
    let error = built.check(&Shop).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown field `chanel`; did you mean `channel`?"
    );
    assert_eq!(error.snippet("whatever"), error.to_string());
}

#[test]
fn the_nearest_name() {
    let names = ["purchase", "checkout", "page_view"];
    assert_eq!(nearest("purchse", names), Some("purchase"));
    assert_eq!(nearest("CHECKOUT", names), Some("checkout"));
    assert_eq!(nearest("pageview", names), Some("page_view"));
    assert_eq!(nearest("refund", names), None);
    assert_eq!(
        nearest("ab", ["ad", "ac"]),
        None,
        "a third of the letters at most"
    );
    assert_eq!(
        nearest("abcd", ["abce", "abcc"]),
        Some("abcc"),
        "ties by name"
    );
    assert_eq!(nearest(&"x".repeat(100_000), ["x"]), None);
}
