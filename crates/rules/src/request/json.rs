//! JSON as it stands in the file: nothing is lost that a parser into maps would lose.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value, with every member of an object in the order of the file, and those that are there twice.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Flag(bool),
    Integer(i64),
    /// A number that is not an integer, or has more than 63 bits.
    OtherNumber(f64),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// 2^63: what whole numbers of 63 bits stay below.
const TOO_LARGE: f64 = 9_223_372_036_854_775_808.0;

impl Json {
    /// In words: "a string".
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "true or false",
            Self::Integer(_) => "a whole number",
            Self::OtherNumber(number) if number.abs() >= TOO_LARGE => "a number that is out of range",
            Self::OtherNumber(_) => "a number with a fraction or an exponent",
            Self::Text(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "it is only told that it is too large")]
    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::OtherNumber(value as f64), Json::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::OtherNumber(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_twice_is_there_twice() {
        let value = serde_json::from_str::<Json>(r#"{"a": 1, "b": [true, null, 1.5], "a": "x"}"#).unwrap();
        let expected = vec![
            ("a".to_owned(), Json::Integer(1)),
            ("b".to_owned(), Json::Array(vec![Json::Flag(true), Json::Null, Json::OtherNumber(1.5)])),
            ("a".to_owned(), Json::Text("x".into())),
        ];
        assert_eq!(value, Json::Object(expected));
    }

    #[test]
    fn numbers_are_whole_and_of_63_bits_or_something_else() {
        let title = |text: &str| serde_json::from_str::<Json>(text).unwrap().title();
        assert_eq!(title("9223372036854775807"), "a whole number");
        assert_eq!(title("9223372036854775808"), "a number that is out of range");
        assert_eq!(title("1e300"), "a number that is out of range");
        assert_eq!(title("40.0"), "a number with a fraction or an exponent");
        assert_eq!(title("-1"), "a whole number");
    }
}
