//! Handles: proof that somebody was let in, to what, and why.

use std::collections::BTreeSet;

use precordia_model::{OrganizationId, RequestId, Role, SessionId, TokenId, UserId};
use precordia_rules::access::Permission;

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    User {
        user: UserId,
        session: SessionId,
    },
    Token {
        user: UserId,
        token: TokenId,
    },
    /// A role of the program itself: `worker`, `audit`, `setup`.
    System {
        role: &'static str,
    },
}

impl Actor {
    /// As written in events and access rows.
    pub fn name(&self) -> String {
        match self {
            Actor::User { user, .. } => format!("user/{user}"),
            Actor::Token { user, .. } => format!("user/{user}"),
            Actor::System { role } => format!("system/{role}"),
        }
    }
}

/// Why data is reached (HL7 v3 PurposeOfUse, shortened to what exists here).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Treatment,
    Operations,
    Research,
    Audit,
    /// Break-glass: outside the role, with a reason.
    Emergency,
}

impl Purpose {
    pub const fn name(self) -> &'static str {
        match self {
            Purpose::Treatment => "treatment",
            Purpose::Operations => "operations",
            Purpose::Research => "research",
            Purpose::Audit => "audit",
            Purpose::Emergency => "emergency",
        }
    }
}

/// A handle to one organization's data. There is no default organization and no way to change it.
#[derive(Clone, Debug)]
pub struct OrgScope {
    organization: OrganizationId,
    actor: Actor,
    roles: Vec<Role>,
    permissions: BTreeSet<Permission>,
    purpose: Purpose,
    request: RequestId,
}

impl OrgScope {
    pub(crate) fn new(
        organization: OrganizationId,
        actor: Actor,
        roles: Vec<Role>,
        permissions: BTreeSet<Permission>,
        purpose: Purpose,
        request: RequestId,
    ) -> Self {
        Self { organization, actor, roles, permissions, purpose, request }
    }

    /// The program's own work inside an organization: it holds every permission and signs as itself.
    pub(crate) fn system(
        organization: OrganizationId,
        role: &'static str,
        request: RequestId,
    ) -> Self {
        let permissions = Permission::ALL.into_iter().collect();
        Self::new(
            organization,
            Actor::System { role },
            Vec::new(),
            permissions,
            Purpose::Operations,
            request,
        )
    }

    /// For the storage contract suite only.
    #[cfg(feature = "testing")]
    pub fn for_tests(organization: OrganizationId, request: RequestId) -> Self {
        Self::system(organization, "test", request)
    }

    pub const fn organization(&self) -> OrganizationId {
        self.organization
    }

    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    pub fn user(&self) -> Option<UserId> {
        match self.actor {
            Actor::User { user, .. } | Actor::Token { user, .. } => Some(user),
            Actor::System { .. } => None,
        }
    }

    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    pub fn role_names(&self) -> String {
        self.roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(",")
    }

    pub const fn permissions(&self) -> &BTreeSet<Permission> {
        &self.permissions
    }

    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    pub const fn request(&self) -> RequestId {
        self.request
    }
}

/// A handle to the control ledger. It cannot open an organization's data.
#[derive(Clone, Debug)]
pub struct PlatformScope {
    actor: String,
    request: RequestId,
}

impl PlatformScope {
    pub(crate) fn new(actor: impl Into<String>, request: RequestId) -> Self {
        Self { actor: actor.into(), request }
    }

    /// For the storage contract suite only.
    #[cfg(feature = "testing")]
    pub fn for_tests(request: RequestId) -> Self {
        Self::new("system/test", request)
    }

    pub fn actor(&self) -> &str {
        &self.actor
    }

    pub const fn request(&self) -> RequestId {
        self.request
    }
}
