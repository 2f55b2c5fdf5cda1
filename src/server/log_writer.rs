//! The one thread that writes log lines to standard output, access lines and events alike.
//!
//! Whoever has a line hands it over and goes on: a reader of our output that is slow or blocked holds no request
//! up. What does not fit into the queue is dropped, counted and told.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use crate::metrics::{Kind, Metrics};

/// What waits for a slow reader at most: pieces, and bytes in them.
const PIECES: usize = 4096;
const BYTES: usize = 4 * 1024 * 1024;
/// At the end, what waits has this long to be read: so many looks of so long.
const LOOKS: u32 = 500;
const LOOK: Duration = Duration::from_millis(10);

/// Hands lines to the thread that writes them.
#[derive(Clone, Debug)]
pub struct LogWriter {
    queue: SyncSender<Piece>,
    state: Arc<State>,
}

#[derive(Debug)]
enum Piece {
    Lines(Vec<u8>),
    /// Everything before it has been written when this one answers.
    Mark(SyncSender<()>),
}

#[derive(Debug, Default)]
struct State {
    waiting: AtomicUsize,
    access_dropped: AtomicU64,
    events_dropped: AtomicU64,
}

impl LogWriter {
    /// To standard output.
    ///
    /// # Errors
    ///
    /// The machine gives no thread.
    pub fn to_stdout() -> io::Result<Self> {
        Self::to(io::stdout())
    }

    fn to(out: impl io::Write + Send + 'static) -> io::Result<Self> {
        let (queue, pieces) = sync_channel(PIECES);
        let state = Arc::new(State::default());
        let its = Arc::clone(&state);
        let thread = std::thread::Builder::new().name("log".to_owned());
        thread.spawn(move || write_all(out, &pieces, &its))?;
        Ok(Self { queue, state })
    }

    /// One event's line, without its end.
    pub fn event(&self, line: String) {
        let mut line = line.into_bytes();
        line.push(b'\n');
        if !self.hand_over(line) {
            self.state.events_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whole access lines.
    pub(super) fn access(&self, lines: Vec<u8>) {
        let count = lines.split(|byte| *byte == b'\n').skip(1).count();
        if !self.hand_over(lines) {
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            self.state
                .access_dropped
                .fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Tells what was dropped so far.
    pub(super) fn count(&self, metrics: &Metrics) {
        for (kind, dropped) in [
            ("access", &self.state.access_dropped),
            ("event", &self.state.events_dropped),
        ] {
            let dropped = dropped.load(Ordering::Relaxed);
            let counter = metrics.log_lines_dropped.get_or_create(&Kind { kind });
            counter.inner().fetch_max(dropped, Ordering::Relaxed);
        }
    }

    /// Waits until all lines so far are written, at most five seconds: for the end of the process.
    pub fn flush(&self) {
        let (written, wait) = sync_channel(1);
        for _look in 0..LOOKS {
            if self.queue.try_send(Piece::Mark(written.clone())).is_ok() {
                // Nobody reads: there is nobody to wait for.
                let _gone = wait.recv_timeout(LOOK.saturating_mul(LOOKS));
                return;
            }
            std::thread::sleep(LOOK);
        }
    }

    fn hand_over(&self, lines: Vec<u8>) -> bool {
        let size = lines.len();
        let before = self.state.waiting.fetch_add(size, Ordering::Relaxed);
        let fits = before.saturating_add(size) <= BYTES;
        let taken = fits && self.queue.try_send(Piece::Lines(lines)).is_ok();
        if !taken {
            self.state.waiting.fetch_sub(size, Ordering::Relaxed);
        }
        taken
    }
}

fn write_all(mut out: impl io::Write, pieces: &Receiver<Piece>, state: &State) {
    let mut told = (0, 0);
    while let Ok(piece) = pieces.recv() {
        match piece {
            Piece::Lines(lines) => {
                // Nobody reads any more: there is nobody to tell.
                let _gone = out.write_all(&lines).and_then(|()| out.flush());
                state.waiting.fetch_sub(lines.len(), Ordering::Relaxed);
            }
            Piece::Mark(written) => {
                let _gone = written.try_send(());
            }
        }
        let dropped = (
            state.access_dropped.load(Ordering::Relaxed),
            state.events_dropped.load(Ordering::Relaxed),
        );
        if dropped != told {
            told = dropped;
            let (access, events) = dropped;
            tracing::warn!(
                access,
                events,
                "log lines dropped: standard output is not read fast enough"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Sender;

    use super::*;

    /// Takes nothing before it is told to, and then shows it.
    struct Blocked {
        open: Receiver<()>,
        seen: Sender<Vec<u8>>,
    }

    impl io::Write for Blocked {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Open for good when the test drops its end.
            let _opened = self.open.recv();
            self.seen.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_blocked_reader_holds_nobody_up_and_what_is_dropped_is_counted() {
        let (open, opened) = sync_channel(1);
        let (seen, lines) = std::sync::mpsc::channel();
        let writer = LogWriter::to(Blocked { open: opened, seen }).unwrap();
        let long = "x".repeat(BYTES / 4);
        for _ in 0..10 {
            writer.event(long.clone());
        }
        writer.access(vec![b'\n'; BYTES]);
        let metrics = Metrics::new();
        writer.count(&metrics);
        writer.count(&metrics);
        let dropped = |kind| {
            let counter = metrics.log_lines_dropped.get_or_create(&Kind { kind });
            counter.get()
        };
        assert_eq!((dropped("event"), dropped("access")), (7, BYTES as u64));
        drop(open);
        writer.flush();
        assert_eq!(lines.try_iter().count(), 3, "those that had room");
        writer.event("again".to_owned());
        writer.flush();
        assert_eq!(lines.try_iter().collect::<Vec<_>>(), [b"again\n"]);
    }
}
