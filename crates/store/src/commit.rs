//! Group commit: all appends that wait at the same time share a transaction, and nothing else.

use std::sync::Arc;

use precordia_app::port::{Append, Batch, RealmId, StoreError};
use tokio::sync::{mpsc, oneshot};

use crate::append::append;
use crate::engine::{Connection, Database, DbError, TransactionError};

/// Appends that may wait for the committer before their senders are slowed.
const WAITING_MAX: usize = 1024;

/// Appends in one transaction.
const GROUP_MAX: usize = 512;

const CONTEXT: &str = "appending";

struct Waiting {
    batch: Batch,
    answer: oneshot::Sender<Result<Append, StoreError>>,
}

/// The way into one realm's committer. The committer ends when the last of these is gone and everything
/// that was accepted is answered.
pub(crate) struct Committer(mpsc::Sender<Waiting>);

impl Committer {
    pub(crate) fn start(database: Arc<Database>, realm: RealmId) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        tokio::spawn(run(database, realm, receiver));
        Self(sender)
    }

    pub(crate) async fn append(&self, batch: Batch) -> Result<Append, StoreError> {
        let (answer, answered) = oneshot::channel();
        let stopped = || StoreError::Failed {
            context: CONTEXT,
            message: "the storage is shutting down".into(),
        };
        self.0.send(Waiting { batch, answer }).await.map_err(|_| stopped())?;
        // A committer that vanishes with the batch may have sent the commit.
        answered.await.unwrap_or(Err(StoreError::OutcomeUnknown { context: CONTEXT }))
    }
}

async fn run(database: Arc<Database>, realm: RealmId, mut queue: mpsc::Receiver<Waiting>) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    while queue.recv_many(&mut group, GROUP_MAX).await > 0 {
        gather(&mut queue, &mut group).await;
        let (batches, answers): (Vec<_>, Vec<_>) =
            group.drain(..).map(|waiting| (waiting.batch, waiting.answer)).unzip();
        let outcomes = commit(&database, realm, batches.into()).await;
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // A sender that went away does not want to know.
            let _ = answer.send(outcome);
        }
    }
}

/// Lets senders that are about to append join, as long as they keep coming.
///
/// After a commit all its senders wake at once. Without this, the first of them would start a commit of
/// its own and the others would wait for two.
async fn gather(queue: &mut mpsc::Receiver<Waiting>, group: &mut Vec<Waiting>) {
    loop {
        let before = group.len();
        tokio::task::yield_now().await;
        while group.len() < GROUP_MAX {
            match queue.try_recv() {
                Ok(waiting) => group.push(waiting),
                Err(_) => break,
            }
        }
        if group.len() == before || group.len() == GROUP_MAX {
            return;
        }
    }
}

type Outcomes = Vec<Result<Append, StoreError>>;

async fn commit(database: &Database, realm: RealmId, batches: Arc<[Batch]>) -> Outcomes {
    let count = batches.len();
    match transact(database, realm, Arc::clone(&batches), 0, count).await {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(TransactionError::CommitUnknown) => {
            (0..count).map(|_| Err(TransactionError::CommitUnknown.store(CONTEXT))).collect()
        }
        Err(TransactionError::RolledBack(DbError::Refused(_))) if count > 1 => {
            one_by_one(database, realm, batches).await
        }
        Err(TransactionError::RolledBack(cause)) => {
            (0..count).map(|_| Err(cause.again().store(CONTEXT))).collect()
        }
    }
}

/// One batch of a group cannot be written. Each gets a transaction of its own, so that it alone is told.
async fn one_by_one(database: &Database, realm: RealmId, batches: Arc<[Batch]>) -> Outcomes {
    let mut outcomes = Vec::with_capacity(batches.len());
    for first in 0..batches.len() {
        let outcome = transact(database, realm, Arc::clone(&batches), first, first + 1).await;
        outcomes.push(match outcome {
            Ok(mut answers) => answers.pop().ok_or(StoreError::OutcomeUnknown { context: CONTEXT }),
            Err(error) => Err(error.store(CONTEXT)),
        });
    }
    outcomes
}

async fn transact(
    database: &Database,
    realm: RealmId,
    batches: Arc<[Batch]>,
    first: usize,
    end: usize,
) -> Result<Vec<Append>, TransactionError> {
    let appended = database.write(move |connection: &mut dyn Connection| {
        Box::pin(async move { append(connection, realm, &batches[first..end]).await })
    });
    appended.await
}
