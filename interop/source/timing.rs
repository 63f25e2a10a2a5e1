//! Durations taken inside the process, around the call alone, so that no pipe is measured.

use crate::protocol::{Answer, Failure, Request};
use crate::storage::{durability, open_storage};
use crate::Held;
use serde_json::{json, Value};
use std::time::{Duration, Instant};
use velesdb_core::storage::{LogPayloadStorage, PayloadStorage};

fn answer_of(durations: &[Duration]) -> Answer {
    let nanoseconds: Vec<u64> = durations
        .iter()
        .map(|one| u64::try_from(one.as_nanos()).unwrap_or(u64::MAX))
        .collect();
    Answer::of(json!({ "nanoseconds": nanoseconds }))
}

fn measured<T, E>(durations: &mut Vec<Duration>, action: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let begin = Instant::now();
    let result = action();
    durations.push(begin.elapsed());
    result
}

pub fn answer(held: &mut Held, call: &str, request: &Request) -> Result<Answer, Failure> {
    let mut durations = Vec::new();
    match call {
        "open" => {
            for _ in 0..request.number("times", 1) {
                held.storage = None;
                let mode = durability(request)?;
                let directory = request.text("directory")?;
                held.storage = Some(measured(&mut durations, || {
                    LogPayloadStorage::new_with_durability(directory, mode)
                })?);
            }
        }
        "retrieve" => {
            let ids = request.ids()?;
            let storage = open_storage(held)?;
            for id in ids {
                measured(&mut durations, || storage.retrieve(id))?;
            }
        }
        "store" => {
            let entries = request.entries()?;
            let storage = open_storage(held)?;
            for (id, payload) in &entries {
                measured(&mut durations, || storage.store(*id, payload))?;
            }
        }
        "batch" => {
            let entries = request.entries()?;
            let size = usize::try_from(request.number("size", 100)).unwrap_or(100).max(1);
            batches(open_storage(held)?, &entries, size, &mut durations)?;
        }
        "snapshot" => {
            let storage = open_storage(held)?;
            measured(&mut durations, || storage.create_snapshot())?;
        }
        other => return Err(Failure::usage(format!("unknown call time.{other}"))),
    }
    Ok(answer_of(&durations))
}

#[cfg(feature = "store-batch")]
fn batches(
    storage: &mut LogPayloadStorage,
    entries: &[(u64, Value)],
    size: usize,
    durations: &mut Vec<Duration>,
) -> Result<(), Failure> {
    for chunk in entries.chunks(size) {
        let borrowed: Vec<(u64, &Value)> = chunk.iter().map(|(id, payload)| (*id, payload)).collect();
        measured(durations, || storage.store_batch(&borrowed))?;
    }
    Ok(())
}

#[cfg(not(feature = "store-batch"))]
fn batches(
    _storage: &mut LogPayloadStorage,
    _entries: &[(u64, Value)],
    _size: usize,
    _durations: &mut Vec<Duration>,
) -> Result<(), Failure> {
    Err(Failure {
        kind: "Unsupported".into(),
        message: "this release has no store_batch".into(),
    })
}
