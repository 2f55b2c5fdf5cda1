//! The one writer: takes what waits, runs it in one transaction, commits, then answers each.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use redb::WriteTransaction;
use tokio::sync::mpsc;

use super::StorageError;
use super::file::File;
use crate::metrics::Metrics;

/// Most writes in one commit.
const GROUP: usize = 256;

/// One write.
pub(super) struct Job(Box<dyn FnOnce(&WriteTransaction) -> Answer + Send>);

/// Tells the caller, after the commit.
pub(super) struct Answer(Box<dyn FnOnce(Result<(), StorageError>) + Send>);

impl Job {
    pub(super) fn new(run: impl FnOnce(&WriteTransaction) -> Answer + Send + 'static) -> Self {
        Self(Box::new(run))
    }

    pub(super) fn nothing() -> Self {
        Self::new(|_| Answer::new(|_| ()))
    }
}

impl Answer {
    pub(super) fn new(tell: impl FnOnce(Result<(), StorageError>) + Send + 'static) -> Self {
        Self(Box::new(tell))
    }
}

pub(super) struct Writer {
    file: Arc<File>,
    waiting: mpsc::Receiver<Job>,
    metrics: Arc<Metrics>,
}

impl Writer {
    pub(super) const fn new(
        file: Arc<File>,
        waiting: mpsc::Receiver<Job>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            file,
            waiting,
            metrics,
        }
    }

    pub(super) fn run(mut self) {
        let mut group = Vec::with_capacity(GROUP);
        while self.waiting.blocking_recv_many(&mut group, GROUP) > 0 {
            if self.file.is_stopping() {
                self.waiting.close();
            }
            let mut left = std::mem::take(&mut group).into_iter();
            while left.len() > 0 {
                self.commit(&mut left);
            }
        }
    }

    /// One transaction. Stops behind a job that panicked: nothing of those before it stays, and
    /// those after it get a transaction of their own.
    fn commit(&self, jobs: &mut std::vec::IntoIter<Job>) {
        let transaction = match self.begin() {
            Ok(transaction) => transaction,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the store cannot write"
                );
                // Dropped jobs answer that the store broke off.
                return jobs.for_each(drop);
            }
        };
        let mut answers = Vec::with_capacity(jobs.len());
        for Job(run) in jobs {
            match catch_unwind(AssertUnwindSafe(|| run(&transaction))) {
                Ok(answer) => answers.push(answer),
                Err(_panic) => {
                    tracing::error!("a write broke off by a fault; its group is undone");
                    drop(transaction);
                    for Answer(tell) in answers {
                        tell(Err(StorageError::BrokenOff));
                    }
                    return;
                }
            }
        }
        let committed = transaction.commit().map_err(|error| Arc::new(error.into()));
        if let Err(error) = &committed {
            tracing::error!(
                error = &**error as &dyn std::error::Error,
                "the store cannot commit"
            );
            // Best done now, while nobody waits; tried again before the next write.
            drop(self.file.open_again());
        }
        self.metrics.store_commits.inc();
        self.metrics.store_writes.inc_by(answers.len() as u64);
        for Answer(tell) in answers {
            tell(committed.clone().map_err(StorageError::Commit));
        }
    }

    /// A disk that was full and no longer is needs no restart.
    fn begin(&self) -> Result<WriteTransaction, StorageError> {
        self.file.begin().or_else(|_failed| {
            self.file.open_again()?;
            self.file.begin()
        })
    }
}
