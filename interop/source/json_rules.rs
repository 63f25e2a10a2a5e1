//! What the serde_json this release was built with makes of bytes: exactly the two calls `retrieve` and `store` make.

use crate::protocol::{Answer, Failure, Request};
use serde_json::{json, Value};

/// `"hex"`: the payload's bytes. Hexadecimal, because payloads that are not UTF-8 must be askable too.
pub fn parse(request: &Request) -> Result<Answer, Failure> {
    let hex = request.text("hex")?.as_bytes();
    let bytes: Option<Vec<u8>> = hex
        .chunks(2)
        .map(|pair| {
            std::str::from_utf8(pair)
                .ok()
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        })
        .collect();
    let bytes = bytes.ok_or_else(|| Failure::usage("\"hex\" is not hexadecimal".into()))?;
    let value: Value = serde_json::from_slice(&bytes)?;
    Ok(Answer::of(json!({ "text": value.to_string() })))
}
