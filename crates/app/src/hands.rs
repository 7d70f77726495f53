//! Whose something is, decided one after the other.
//!
//! Filing looks at patients and then writes; merging and erasing look at recordings and then write. Each
//! would miss what the other writes in between. So within this process those who file share an
//! organization's lock and those who move or erase hold it alone. Between processes it does not reach.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use precordia_model::OrganizationId;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use crate::access::OrgScope;

#[derive(Default)]
pub(crate) struct Hands(Mutex<BTreeMap<OrganizationId, Arc<RwLock<()>>>>);

impl Hands {
    /// For putting something into a patient's hands: many at once.
    pub(crate) async fn filing(&self, scope: &OrgScope) -> OwnedRwLockReadGuard<()> {
        self.of(scope).read_owned().await
    }

    /// For moving or erasing: alone.
    pub(crate) async fn moving(&self, scope: &OrgScope) -> OwnedRwLockWriteGuard<()> {
        self.of(scope).write_owned().await
    }

    fn of(&self, scope: &OrgScope) -> Arc<RwLock<()>> {
        let mut all = self.0.lock().expect("no code panics while it holds the locks");
        Arc::clone(all.entry(scope.organization()).or_default())
    }
}
