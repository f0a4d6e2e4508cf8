//! MessagePack: the same objects as in JSON, maps with the same field names, in fewer bytes.
//!
//! How: the types are written by the same serde implementations, which are told that a person could
//! read this, so that ids and times stay the texts that they are in JSON.
//!
//! Invariants:
//! - What is read back equals what JSON would have given.
//! - A length that the bytes do not hold makes no room for itself, and nesting has JSON's bound.

use rmp_serde::{Deserializer, Serializer, decode, encode};
use serde::{Serialize, de::DeserializeOwned};

/// How deep objects may nest; the same as `serde_json`'s.
const DEPTH: usize = 128;

/// Writes a value.
///
/// # Errors
/// When a map's key is not a text, or a number does not fit.
pub fn to_vec(value: &impl Serialize) -> Result<Vec<u8>, encode::Error> {
    let mut bytes = Vec::with_capacity(256);
    value.serialize(&mut Serializer::new(&mut bytes).with_human_readable().with_struct_map())?;
    Ok(bytes)
}

/// Reads the one value that the bytes are.
///
/// # Errors
/// When they are not MessagePack, not one value, or not such a value.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, decode::Error> {
    let mut rest = bytes;
    let mut reader = Deserializer::new(&mut rest).with_human_readable();
    reader.set_max_depth(DEPTH);
    let value = T::deserialize(&mut reader)?;
    match rest {
        [] => Ok(value),
        _ => Err(decode::Error::Uncategorized(format!("{} bytes after the value", rest.len()))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_json_can_say_comes_back_equal() {
        let values = [
            json!(null),
            json!([true, false, 0, -1, 127, 128, 65_536, i64::MIN, u64::MAX, 1.5]),
            json!({"한글": "마당", "": [], "nested": {"a": [{"b": {}}]}}),
            json!("x".repeat(70_000)),
            json!((0..70_000).collect::<Vec<_>>()),
        ];
        for value in values {
            assert_eq!(from_slice::<Value>(&to_vec(&value).unwrap()).unwrap(), value);
        }
    }

    #[test]
    fn what_json_cannot_say_is_refused() {
        let cases: [(&str, &[u8]); 12] = [
            ("nothing", &[]),
            ("the reserved byte", &[0xc1]),
            ("two values", &[0xc0, 0xc0]),
            ("bytes", &[0xc4, 1, 7]),
            ("an extension", &[0xd4, 5, 0]),
            ("a time", &[0xd6, 0xff, 0, 0, 0, 0]),
            ("a key that is a number", &[0x81, 1, 1]),
            ("a key that is bytes", &[0x81, 0xc4, 1, b'a', 1]),
            ("a key that is a map", &[0x81, 0x80, 1]),
            ("a text that is not UTF-8", &[0xa1, 0xff]),
            ("a map cut off", &[0x82, 0xa1, b'a', 1]),
            ("a text cut off", &[0xa5, b'a']),
        ];
        for (name, bytes) in cases {
            assert!(from_slice::<Value>(bytes).is_err(), "{name}");
        }
    }

    #[test]
    fn nesting_has_the_bound_of_json() {
        let nested = |depth: usize| [vec![0x91; depth], vec![0xc0]].concat();
        let text = |depth: usize| format!("{}null{}", "[".repeat(depth), "]".repeat(depth));
        for depth in [1, 100, 127, 128, 129, 5_000, 100_000] {
            let json = serde_json::from_str::<Value>(&text(depth)).is_ok();
            assert_eq!(from_slice::<Value>(&nested(depth)).is_ok(), json, "{depth} deep");
        }
    }
}
