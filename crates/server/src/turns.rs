//! Bounded places that no organization can take all of: a house full of slow senders, or one stolen token,
//! must not close the door to the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use precordia_model::OrganizationId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) struct Turns {
    all: Arc<Semaphore>,
    one_max: usize,
    /// As many as there are organizations on this server.
    of: Mutex<HashMap<OrganizationId, Arc<Semaphore>>>,
}

/// A place; dropping it gives it back.
pub(crate) struct Turn {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Turns {
    /// Half of the places are the most that one organization gets.
    pub fn new(places: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(places)),
            one_max: places.div_ceil(2),
            of: Mutex::default(),
        }
    }

    /// Waits for a place.
    pub async fn wait(&self, organization: OrganizationId) -> Option<Turn> {
        // The organization's own place first: who waits for it keeps nobody else waiting.
        let own = self.own(organization).acquire_owned().await.ok()?;
        let all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Turn { _own: own, _all: all })
    }

    /// A place if one is free now.
    pub fn now(&self, organization: OrganizationId) -> Option<Turn> {
        let own = self.own(organization).try_acquire_owned().ok()?;
        let all = Arc::clone(&self.all).try_acquire_owned().ok()?;
        Some(Turn { _own: own, _all: all })
    }

    fn own(&self, organization: OrganizationId) -> Arc<Semaphore> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(of.entry(organization).or_insert_with(|| Semaphore::new(self.one_max).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_organization_leaves_half_of_the_places_to_the_others() {
        let [a, b] = [1, 2].map(|n| OrganizationId(uuid::Uuid::from_u128(n)));
        let turns = Turns::new(4);
        let mut of_a: Vec<_> = (0..4).map_while(|_| turns.now(a)).collect();
        assert_eq!(of_a.len(), 2);
        let of_b: Vec<_> = (0..4).map_while(|_| turns.now(b)).collect();
        assert_eq!(of_b.len(), 2);
        of_a.pop();
        assert!(turns.now(b).is_none());
        assert!(turns.now(a).is_some());
    }
}
