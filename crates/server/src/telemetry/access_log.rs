//! The access log's way to stdout: a request appends its line to a buffer in memory; a thread writes the buffer out ten
//! times a second or when it has grown. No request ever makes a system call for its line, or waits for a slow reader:
//! when nobody reads, lines are dropped and counted.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::Utc;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::json_line;

const WRITE_EVERY: Duration = Duration::from_millis(100);
const WRITE_AT_BYTES: usize = 64 << 10;
const ROOM_BYTES: usize = 4 << 20;
/// Room for one line before it has to grow.
const LINE_BYTES: usize = 640;

/// Takes the access log's events.
#[derive(Debug)]
pub(super) struct AccessLayer {
    shared: Arc<Shared>,
}

/// Keeps the writing thread until it is finished.
#[derive(Debug)]
pub(super) struct AccessLog {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    full: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: String,
    dropped: u64,
    finished: bool,
}

impl AccessLayer {
    pub(super) fn new(output: impl Write + Send + 'static) -> io::Result<(Self, AccessLog)> {
        let shared = Arc::new(Shared::default());
        let writing = shared.clone();
        let thread = std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || writing.write_out(output))?;
        Ok((Self { shared: shared.clone() }, AccessLog { shared, thread }))
    }
}

impl<S: Subscriber> Layer<S> for AccessLayer {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut line = String::with_capacity(LINE_BYTES);
        json_line::append(&mut line, event, Utc::now());
        self.shared.append(&line);
    }
}

impl AccessLog {
    /// Writes out what is there and ends the thread.
    pub(super) fn finish(self) {
        self.shared.waiting().finished = true;
        self.shared.full.notify_one();
        // The thread cannot panic in a way that matters here: all it did was to write lines.
        drop(self.thread.join());
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // A line is appended as a whole or not at all, so that a panic leaves the buffer usable.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, line: &str) {
        let mut waiting = self.waiting();
        if waiting.lines.len() + line.len() > ROOM_BYTES {
            waiting.dropped += 1;
            return;
        }
        let before = waiting.lines.len();
        waiting.lines.push_str(line);
        if before < WRITE_AT_BYTES && waiting.lines.len() >= WRITE_AT_BYTES {
            drop(waiting);
            self.full.notify_one();
        }
    }

    fn write_out(&self, mut output: impl Write) {
        let mut lines = String::with_capacity(2 * WRITE_AT_BYTES);
        loop {
            let idle = |waiting: &mut Waiting| waiting.lines.len() < WRITE_AT_BYTES && !waiting.finished;
            let waited = self.full.wait_timeout_while(self.waiting(), WRITE_EVERY, idle);
            let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut waiting.lines, &mut lines);
            let dropped = std::mem::take(&mut waiting.dropped);
            let finished = waiting.finished;
            drop(waiting);

            // A reader that went away takes its log with it; the requests go on.
            drop(output.write_all(lines.as_bytes()).and_then(|()| output.flush()));
            lines.clear();
            if dropped > 0 {
                tracing::warn!(
                    dropped,
                    "access log lines were dropped because nobody read them in time"
                );
            }
            if finished {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// Where a test sees what was written.
    #[derive(Debug, Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no writer panics").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn each_event_is_one_line_of_json_and_all_are_there_in_the_end() {
        let written = Written::default();
        let (layer, log) = AccessLayer::new(written.clone()).expect("a thread");
        let subscriber = tracing_subscriber::registry().with(layer);

        tracing::subscriber::with_default(subscriber, || {
            for status in 0..2_000_u16 {
                let absent: Option<&str> = None;
                tracing::info!(request.id = %"req_1", status, stream = true, model = "a\"b", absent, "request served");
            }
        });
        log.finish();

        let text = String::from_utf8(written.0.lock().expect("no writer panics").clone()).expect("UTF-8");
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("each line is JSON"))
            .collect();
        assert_eq!(lines.len(), 2_000);
        let last = lines.last().expect("a last line").as_object().expect("an object");
        let expected = serde_json::json!({
            "timestamp": last["timestamp"], "level": "INFO", "target": last["target"], "message": "request served",
            "request.id": "req_1", "status": 1_999, "stream": true, "model": "a\"b",
        });
        assert_eq!(serde_json::Value::from(last.clone()), expected);
    }

    #[test]
    fn lines_beyond_the_room_are_dropped_and_counted() {
        let shared = Shared::default();
        let line = "x".repeat(1 << 20);

        for _ in 0..6 {
            shared.append(&line);
        }

        let waiting = shared.waiting();
        assert_eq!((waiting.lines.len(), waiting.dropped), (4 << 20, 2));
    }
}
