//! `LogPayloadStorage` on a collection directory: no database, no lock.

use crate::protocol::{Answer, Failure, Request};
use crate::Held;
use serde_json::{json, Value};
use velesdb_core::storage::{DurabilityMode, LogPayloadStorage, PayloadStorage};

pub fn durability(request: &Request) -> Result<DurabilityMode, Failure> {
    match request.optional_text("durability").unwrap_or("fsync") {
        "fsync" => Ok(DurabilityMode::Fsync),
        "flush" => Ok(DurabilityMode::FlushOnly),
        "none" => Ok(DurabilityMode::None),
        other => Err(Failure::usage(format!("unknown durability {other:?}"))),
    }
}

pub fn open_storage(held: &mut Held) -> Result<&mut LogPayloadStorage, Failure> {
    held.storage
        .as_mut()
        .ok_or_else(|| Failure::usage("no storage is open".into()))
}

fn sorted_ids(storage: &LogPayloadStorage) -> Vec<u64> {
    let mut ids = storage.ids();
    ids.sort_unstable();
    ids
}

fn printed(id: u64, retrieved: std::io::Result<Option<Value>>) -> Value {
    match retrieved {
        Ok(Some(payload)) => json!({ "id": id.to_string(), "text": payload.to_string() }),
        Ok(None) => json!({ "id": id.to_string(), "absent": true }),
        Err(error) => {
            json!({ "id": id.to_string(), "error": { "kind": format!("{:?}", error.kind()), "message": error.to_string() } })
        }
    }
}

pub fn answer(held: &mut Held, call: &str, request: &Request) -> Result<Answer, Failure> {
    match call {
        "open" => {
            held.storage = None;
            let storage = LogPayloadStorage::new_with_durability(request.text("directory")?, durability(request)?)?;
            let count = storage.ids().len();
            held.storage = Some(storage);
            Ok(Answer::of(json!({ "count": count })))
        }
        "close" => {
            held.storage = None;
            Ok(Answer::default())
        }
        "ids" => {
            let ids: Vec<String> = sorted_ids(open_storage(held)?).iter().map(u64::to_string).collect();
            Ok(Answer::of(json!({ "ids": ids })))
        }
        "dump" => {
            let storage = open_storage(held)?;
            let items: Vec<Value> = sorted_ids(storage)
                .into_iter()
                .map(|id| printed(id, storage.retrieve(id)))
                .collect();
            let mut answer = Answer::of(json!({ "count": items.len() }));
            answer.items = items;
            Ok(answer)
        }
        "retrieve" => {
            let id = request.id()?;
            Ok(Answer::of(printed(id, open_storage(held)?.retrieve(id))))
        }
        "store" => {
            let payload: Value = serde_json::from_str(request.text("text")?)?;
            open_storage(held)?.store(request.id()?, &payload)?;
            Ok(Answer::default())
        }
        "batch" => batch(held, request, false),
        "deferredBatch" => batch(held, request, true),
        "delete" => {
            open_storage(held)?.delete(request.id()?)?;
            Ok(Answer::default())
        }
        "deleteBatch" => delete_batch(held, request),
        "flush" => {
            open_storage(held)?.flush()?;
            Ok(Answer::default())
        }
        "snapshot" => {
            open_storage(held)?.create_snapshot()?;
            Ok(Answer::default())
        }
        "shouldSnapshot" => Ok(Answer::of(json!({ "should": open_storage(held)?.should_create_snapshot() }))),
        other => Err(Failure::usage(format!("unknown call storage.{other}"))),
    }
}

#[cfg(feature = "store-batch")]
fn batch(held: &mut Held, request: &Request, deferred: bool) -> Result<Answer, Failure> {
    let entries = request.entries()?;
    let borrowed: Vec<(u64, &Value)> = entries.iter().map(|(id, payload)| (*id, payload)).collect();
    let storage = open_storage(held)?;
    if !deferred {
        storage.store_batch(&borrowed)?;
        return Ok(Answer::default());
    }
    #[cfg(feature = "deferred-batch")]
    {
        storage.store_batch_deferred(&borrowed)?;
        Ok(Answer::default())
    }
    #[cfg(not(feature = "deferred-batch"))]
    Err(Failure {
        kind: "Unsupported".into(),
        message: "this release has no store_batch_deferred".into(),
    })
}

#[cfg(not(feature = "store-batch"))]
fn batch(_held: &mut Held, _request: &Request, _deferred: bool) -> Result<Answer, Failure> {
    Err(Failure {
        kind: "Unsupported".into(),
        message: "this release has no store_batch".into(),
    })
}

#[cfg(feature = "delete-batch")]
fn delete_batch(held: &mut Held, request: &Request) -> Result<Answer, Failure> {
    open_storage(held)?.delete_batch(&request.ids()?)?;
    Ok(Answer::default())
}

#[cfg(not(feature = "delete-batch"))]
fn delete_batch(_held: &mut Held, _request: &Request) -> Result<Answer, Failure> {
    Err(Failure {
        kind: "Unsupported".into(),
        message: "this release has no delete_batch".into(),
    })
}
