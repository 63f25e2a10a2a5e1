//! velesdb-core reports damage it survives only through `tracing`. This collects what it said while a call ran.

use std::fmt::{Debug, Write};
use std::sync::Mutex;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// More than this is not kept: a log full of bad records says the same thing a million times.
const MOST: usize = 1000;

struct Collector;

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            let _ = write!(self.message, "{value:?}");
        } else {
            let _ = write!(self.fields, " {}={value:?}", field.name());
        }
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= Level::WARN
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        if let Ok(mut said) = SAID.lock() {
            if said.len() < MOST {
                said.push(format!("{}{}", line.message, line.fields));
            }
        }
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Starts collecting, for the whole process (velesdb-core works on several threads).
pub fn collect() {
    // It fails only if a subscriber is already set, which nothing in this program does.
    let _ = tracing::subscriber::set_global_default(Collector);
}

/// What was said since the last call, in order.
pub fn take() -> Vec<String> {
    SAID.lock().map(|mut said| std::mem::take(&mut *said)).unwrap_or_default()
}
