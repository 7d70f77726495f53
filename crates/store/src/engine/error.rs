//! What can go wrong below the ports. No message holds a value of the data.

use precordia_app::port::StoreError;

/// Why a statement or a transaction did not do what it was asked to.
#[derive(Debug)]
pub(crate) enum DbError {
    /// The statement or one of its values was refused: it would be refused again.
    Refused(String),
    /// The engine could not work now: locked, disconnected, input or output failed.
    Unable(String),
    /// A sync failed: what the disk has is not known.
    Unsynced(String),
    Full,
    Damaged {
        what: &'static str,
        detail: String,
    },
}

impl DbError {
    pub(crate) fn store(self, context: &'static str) -> StoreError {
        match self {
            DbError::Refused(message) | DbError::Unable(message) | DbError::Unsynced(message) => {
                StoreError::Failed { context, message }
            }
            DbError::Full => StoreError::Full { context },
            DbError::Damaged { what, detail } => StoreError::Damaged { what, detail },
        }
    }

    /// The same news for another waiter.
    pub(crate) fn again(&self) -> DbError {
        match self {
            DbError::Refused(message) => DbError::Refused(message.clone()),
            DbError::Unable(message) => DbError::Unable(message.clone()),
            DbError::Unsynced(message) => DbError::Unsynced(message.clone()),
            DbError::Full => DbError::Full,
            DbError::Damaged { what, detail } => DbError::Damaged { what, detail: detail.clone() },
        }
    }
}

/// How far a transaction came before it failed.
#[derive(Debug)]
pub(crate) enum TransactionError {
    /// Nothing was written.
    RolledBack(DbError),
    /// The commit was sent; whether it holds is not known.
    CommitUnknown,
}

impl TransactionError {
    pub(crate) fn store(self, context: &'static str) -> StoreError {
        match self {
            TransactionError::RolledBack(cause) => cause.store(context),
            TransactionError::CommitUnknown => StoreError::OutcomeUnknown { context },
        }
    }
}
