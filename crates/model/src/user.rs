//! Who may do what is decided in `rules`; these are the names of the roles.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Technician,
    Nurse,
    Physician,
    Cardiologist,
    OrganizationAdministrator,
    Auditor,
    Researcher,
    /// A program of the organization, signed in by API token.
    Service,
    /// Runs the platform; sees no patient.
    PlatformOperator,
}

impl Role {
    pub const ALL: [Role; 9] = [
        Role::Technician,
        Role::Nurse,
        Role::Physician,
        Role::Cardiologist,
        Role::OrganizationAdministrator,
        Role::Auditor,
        Role::Researcher,
        Role::Service,
        Role::PlatformOperator,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Role::Technician => "technician",
            Role::Nurse => "nurse",
            Role::Physician => "physician",
            Role::Cardiologist => "cardiologist",
            Role::OrganizationAdministrator => "organization-administrator",
            Role::Auditor => "auditor",
            Role::Researcher => "researcher",
            Role::Service => "service",
            Role::PlatformOperator => "platform-operator",
        }
    }

    pub fn parse(name: &str) -> Option<Role> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}
