//! One release of velesdb-core behind a line protocol (interop/README.md). The same source is built once for every
//! pinned release; the only thing it knows is how to call velesdb-core and how to print what velesdb-core answered.

mod database;
mod json_rules;
mod protocol;
mod storage;
mod timing;
mod warnings;

use protocol::{Answer, Failure, Request};
use std::io::{BufRead, Write};
use std::panic::{catch_unwind, AssertUnwindSafe};

/// What one process holds between two lines: at most one payload storage and one database.
#[derive(Default)]
pub struct Held {
    storage: Option<velesdb_core::storage::LogPayloadStorage>,
    database: Option<velesdb_core::Database>,
}

fn answer(held: &mut Held, request: &Request) -> Result<Answer, Failure> {
    match request.call.as_str() {
        "about" => Ok(Answer::of(serde_json::json!({
            "release": env!("CARGO_PKG_VERSION"),
            "storeBatch": cfg!(feature = "store-batch"),
            "deferredBatch": cfg!(feature = "deferred-batch"),
            "deleteBatch": cfg!(feature = "delete-batch"),
            "fullFlush": cfg!(feature = "full-flush"),
        }))),
        "parse" => json_rules::parse(request),
        call if call.starts_with("storage.") => storage::answer(held, &call["storage.".len()..], request),
        call if call.starts_with("database.") => database::answer(held, &call["database.".len()..], request),
        call if call.starts_with("time.") => timing::answer(held, &call["time.".len()..], request),
        other => Err(Failure::usage(format!("unknown call {other:?}"))),
    }
}

fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_string()))
        .unwrap_or_else(|| "panic without a text".to_string())
}

fn main() -> std::io::Result<()> {
    warnings::collect();
    let mut held = Held::default();
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let outcome = match protocol::read(&line) {
            // A panic inside velesdb-core is an answer like any other: a mutated directory that provokes one must not end the run.
            Ok(request) => catch_unwind(AssertUnwindSafe(|| answer(&mut held, &request))).unwrap_or_else(|panic| {
                Err(Failure {
                    kind: "Panic".into(),
                    message: panic_text(panic.as_ref()),
                })
            }),
            Err(failure) => Err(failure),
        };
        protocol::write(&mut output, outcome, warnings::take())?;
        output.flush()?;
    }
    Ok(())
}
