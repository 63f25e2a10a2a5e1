//! `Database` on a root. Holding one open is holding its lock.

use crate::protocol::{Answer, Failure, Request};
use crate::Held;
use serde_json::{json, Value};
use velesdb_core::{Database, DistanceMetric, MetadataCollection, Point, SearchResult, VectorCollection};

/// The two kinds of collection this program touches. Graph collections store payloads through the same code.
enum Collection {
    Vector(VectorCollection),
    Metadata(MetadataCollection),
}

fn open_database(held: &Held) -> Result<&Database, Failure> {
    held.database
        .as_ref()
        .ok_or_else(|| Failure::usage("no database is open".into()))
}

fn collection(held: &Held, request: &Request) -> Result<Collection, Failure> {
    let name = request.text("collection")?;
    let database = open_database(held)?;
    if let Some(found) = database.get_metadata_collection(name) {
        return Ok(Collection::Metadata(found));
    }
    if let Some(found) = database.get_vector_collection(name) {
        return Ok(Collection::Vector(found));
    }
    Err(Failure {
        kind: "CollectionNotFound".into(),
        message: format!("no collection {name:?}"),
    })
}

fn point(entry: &Value) -> Result<Point, Failure> {
    let id = crate::protocol::id(entry.get("id"))?;
    let payload = match entry.get("text").and_then(Value::as_str) {
        Some(text) => Some(serde_json::from_str(text)?),
        None => None,
    };
    match entry.get("vector") {
        Some(vector) => Ok(Point::new(id, serde_json::from_value(vector.clone())?, payload)),
        None => Ok(Point::metadata_only(id, payload.unwrap_or(Value::Null))),
    }
}

fn printed(id: u64, point: Option<Point>) -> Value {
    match point {
        Some(Point {
            payload: Some(payload), ..
        }) => json!({ "id": id.to_string(), "text": payload.to_string() }),
        Some(_) => json!({ "id": id.to_string(), "noPayload": true }),
        None => json!({ "id": id.to_string(), "absent": true }),
    }
}

fn found(results: Vec<SearchResult>) -> Answer {
    let ids: Vec<String> = results.iter().map(|result| result.point.id.to_string()).collect();
    Answer::of(json!({ "ids": ids }))
}

pub fn answer(held: &mut Held, call: &str, request: &Request) -> Result<Answer, Failure> {
    match call {
        "open" => {
            held.database = None;
            let database = Database::open(request.text("root")?)?;
            let mut names = database.list_collections();
            names.sort_unstable();
            held.database = Some(database);
            Ok(Answer::of(json!({ "collections": names })))
        }
        "close" => {
            held.database = None;
            Ok(Answer::default())
        }
        "createVector" => {
            let dimension = usize::try_from(request.number("dimension", 4)).unwrap_or(4);
            open_database(held)?.create_vector_collection(request.text("collection")?, dimension, DistanceMetric::Cosine)?;
            Ok(Answer::default())
        }
        "createMetadata" => {
            open_database(held)?.create_metadata_collection(request.text("collection")?)?;
            Ok(Answer::default())
        }
        "ids" => {
            let mut ids = match collection(held, request)? {
                Collection::Vector(vector) => vector.all_ids(),
                Collection::Metadata(metadata) => metadata.all_ids(),
            };
            ids.sort_unstable();
            let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
            Ok(Answer::of(json!({ "ids": ids })))
        }
        "get" => {
            let ids = request.ids()?;
            let points = match collection(held, request)? {
                Collection::Vector(vector) => vector.get(&ids),
                Collection::Metadata(metadata) => metadata.get(&ids),
            };
            let mut answer = Answer::default();
            answer.items = ids.into_iter().zip(points).map(|(id, point)| printed(id, point)).collect();
            Ok(answer)
        }
        "upsert" => {
            let points = request
                .list("points")?
                .iter()
                .map(point)
                .collect::<Result<Vec<Point>, Failure>>()?;
            match collection(held, request)? {
                Collection::Vector(vector) => vector.upsert(points)?,
                Collection::Metadata(metadata) => metadata.upsert(points)?,
            }
            Ok(Answer::default())
        }
        "delete" => {
            let ids = request.ids()?;
            match collection(held, request)? {
                Collection::Vector(vector) => vector.delete(&ids)?,
                Collection::Metadata(metadata) => metadata.delete(&ids)?,
            }
            Ok(Answer::default())
        }
        "flush" => {
            match collection(held, request)? {
                Collection::Vector(vector) => vector.flush()?,
                Collection::Metadata(metadata) => metadata.flush()?,
            }
            Ok(Answer::default())
        }
        "flushFull" => flush_full(held, request),
        "search" => {
            let words = request.text("words")?;
            let most = usize::try_from(request.number("most", 100)).unwrap_or(100);
            Ok(found(match collection(held, request)? {
                Collection::Vector(vector) => vector.text_search(words, most)?,
                Collection::Metadata(metadata) => metadata.text_search(words, most)?,
            }))
        }
        other => Err(Failure::usage(format!("unknown call database.{other}"))),
    }
}

/// Writes the index snapshots too: only this leaves a `bm25.snapshot`.
#[cfg(feature = "full-flush")]
fn flush_full(held: &Held, request: &Request) -> Result<Answer, Failure> {
    match collection(held, request)? {
        Collection::Vector(vector) => vector.flush_full()?,
        Collection::Metadata(metadata) => metadata.flush_full()?,
    }
    Ok(Answer::default())
}

#[cfg(not(feature = "full-flush"))]
fn flush_full(_held: &Held, _request: &Request) -> Result<Answer, Failure> {
    Err(Failure {
        kind: "Unsupported".into(),
        message: "this release has no flush_full".into(),
    })
}
