//! Lines in, lines out: one JSON object each.

use serde_json::{json, Map, Value};
use std::io::Write;

pub struct Request {
    pub call: String,
    fields: Map<String, Value>,
}

/// Items (one line each) and the fields of the closing line.
#[derive(Default)]
pub struct Answer {
    pub items: Vec<Value>,
    pub fields: Map<String, Value>,
}

pub struct Failure {
    pub kind: String,
    pub message: String,
}

impl Answer {
    pub fn of(fields: Value) -> Self {
        match fields {
            Value::Object(fields) => Self {
                items: Vec::new(),
                fields,
            },
            _ => Self::default(),
        }
    }
}

impl Failure {
    pub fn usage(message: String) -> Self {
        Self {
            kind: "Usage".into(),
            message,
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self {
            kind: format!("{:?}", error.kind()),
            message: error.to_string(),
        }
    }
}

impl From<velesdb_core::Error> for Failure {
    fn from(error: velesdb_core::Error) -> Self {
        // Debug prints the variant first: its name is the kind.
        let debug = format!("{error:?}");
        let kind = debug
            .split(|c: char| !c.is_alphanumeric())
            .next()
            .unwrap_or("Error")
            .to_string();
        Self {
            kind,
            message: error.to_string(),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self {
            kind: "InvalidData".into(),
            message: error.to_string(),
        }
    }
}

pub fn read(line: &str) -> Result<Request, Failure> {
    let value: Value = serde_json::from_str(line).map_err(|error| Failure::usage(format!("request is not JSON: {error}")))?;
    let Value::Object(fields) = value else {
        return Err(Failure::usage("request is not an object".into()));
    };
    let call = fields.get("call").and_then(Value::as_str).unwrap_or_default().to_string();
    Ok(Request { call, fields })
}

pub fn write(output: &mut impl Write, outcome: Result<Answer, Failure>, warnings: Vec<String>) -> std::io::Result<()> {
    let mut closing = match outcome {
        Ok(answer) => {
            for item in &answer.items {
                writeln!(output, "{}", json!({ "item": item }))?;
            }
            let mut fields = answer.fields;
            fields.insert("ok".into(), Value::Bool(true));
            fields
        }
        Err(failure) => Map::from_iter([
            ("ok".to_string(), Value::Bool(false)),
            ("kind".to_string(), Value::String(failure.kind)),
            ("message".to_string(), Value::String(failure.message)),
        ]),
    };
    if !warnings.is_empty() {
        closing.insert("warnings".into(), json!(warnings));
    }
    writeln!(output, "{}", Value::Object(closing))
}

impl Request {
    pub fn text(&self, name: &str) -> Result<&str, Failure> {
        self.fields
            .get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| Failure::usage(format!("{name:?} must be a string")))
    }

    pub fn optional_text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    pub fn list(&self, name: &str) -> Result<&[Value], Failure> {
        self.fields
            .get(name)
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .ok_or_else(|| Failure::usage(format!("{name:?} must be an array")))
    }

    pub fn number(&self, name: &str, otherwise: u64) -> u64 {
        self.fields.get(name).and_then(Value::as_u64).unwrap_or(otherwise)
    }

    pub fn id(&self) -> Result<u64, Failure> {
        id(self.fields.get("id"))
    }

    pub fn ids(&self) -> Result<Vec<u64>, Failure> {
        self.list("ids")?.iter().map(|value| id(Some(value))).collect()
    }

    /// `"entries":[["1","{\"a\":1}"],…]`: payloads travel as text, so that a payload is parsed exactly once, as a payload.
    pub fn entries(&self) -> Result<Vec<(u64, Value)>, Failure> {
        self.list("entries")?
            .iter()
            .map(|entry| {
                let text = entry.get(1).and_then(Value::as_str);
                let text = text.ok_or_else(|| Failure::usage("an entry is [id, payload text]".into()))?;
                Ok((id(entry.get(0))?, serde_json::from_str(text)?))
            })
            .collect()
    }
}

/// Ids are decimal strings on the wire: a JSON number above 2^53 would be changed by the reader in JavaScript.
pub fn id(value: Option<&Value>) -> Result<u64, Failure> {
    value
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Failure::usage("an id is a decimal string below 2^64".into()))
}
