//! Reads of a realm that wait at the same time share a transaction, and nothing else.
//!
//! A transaction costs three answers of the server and enters the realm's role anew, which is more than most
//! reads cost. So a few transactions are open at once, and what comes meanwhile waits for the next one and
//! goes in together. Each statement still sees what was committed when it began.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, oneshot};

use super::postgres::PostgresSchema;
use super::{DbError, Row, Value};

/// A quarter of the connections that a program has; the others are for who writes.
const TRANSACTIONS_MAX: usize = 4;

/// Fewer than would make the first of them wait long for the last.
const GROUP_MAX: usize = 32;

/// For each set of parameters its rows.
type Answer = Result<Vec<Vec<Row>>, DbError>;

/// One statement, once for each set of parameters.
pub(super) struct Read {
    pub(super) sql: String,
    pub(super) sets: Vec<Vec<Value<'static>>>,
}

struct Waiting {
    read: Read,
    answer: oneshot::Sender<Answer>,
}

#[derive(Default)]
struct Line(Mutex<VecDeque<Waiting>>);

impl Line {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first of those who still want to know.
    fn next(&self) -> Vec<Waiting> {
        let mut line = self.lock();
        let mut group = Vec::new();
        while group.len() < GROUP_MAX
            && let Some(waiting) = line.pop_front()
        {
            if !waiting.answer.is_closed() {
                group.push(waiting);
            }
        }
        group
    }
}

pub(super) struct SharedReads {
    line: Arc<Line>,
    turns: Arc<Semaphore>,
}

impl SharedReads {
    pub(super) fn new() -> Self {
        Self { line: Arc::default(), turns: Arc::new(Semaphore::new(TRANSACTIONS_MAX)) }
    }

    pub(super) async fn read(&self, schema: &PostgresSchema, read: Read) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.line.lock().push_back(Waiting { read, answer });
        // Whoever gets a turn serves everybody who waits, so nobody is left when the turns are free again.
        if let Ok(turn) = Arc::clone(&self.turns).acquire_owned().await {
            let group = self.line.next();
            if !group.is_empty() {
                let (schema, line) = (schema.clone(), Arc::clone(&self.line));
                // On its own: a caller that goes away takes nothing from the others.
                tokio::spawn(async move {
                    serve(&schema, &line, group).await;
                    drop(turn);
                });
            }
        }
        answered.await.unwrap_or_else(|_| Err(DbError::Unable("a read stopped".into())))
    }
}

async fn serve(schema: &PostgresSchema, line: &Line, mut group: Vec<Waiting>) {
    while !group.is_empty() {
        let (reads, askers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|waiting| (waiting.read, waiting.answer)).unzip();
        let answers = together(schema, &reads).await;
        for (asker, answer) in askers.into_iter().zip(answers) {
            // One that went away does not want to know.
            let _ = asker.send(answer);
        }
        group = line.next();
    }
}

/// A statement that fails ends the transaction for those behind it; each of these gets one of its own.
async fn together(schema: &PostgresSchema, reads: &[Read]) -> Vec<Answer> {
    let mut answers = match schema.read_together(reads).await {
        Ok(answers) => answers,
        Err(cause) => return reads.iter().map(|_| Err(cause.again())).collect(),
    };
    if reads.len() > 1 {
        for (read, answer) in reads.iter().zip(&mut answers) {
            if answer.is_err() {
                let again = schema.read_together(std::slice::from_ref(read)).await;
                *answer = again.and_then(|mut answers| answers.pop().unwrap_or(Ok(Vec::new())));
            }
        }
    }
    answers
}
