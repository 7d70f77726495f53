//! The one table of permissions: which role may do what.
//!
//! The matrix is printed by [`matrix`] and kept as a golden file; a change of access is a change of that
//! file and is seen in review. Break-glass gives clinical staff the reading permissions that their role
//! lacks, for a stated reason; it never gives the power to change or administer.

use std::collections::BTreeSet;

use precordia_model::Role;

macro_rules! permissions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission { $($(#[$doc])* $variant),+ }

        impl Permission {
            pub const ALL: [Permission; [$($name),+].len()] = [$(Permission::$variant),+];

            pub const fn name(self) -> &'static str {
                match self { $(Permission::$variant => $name),+ }
            }
        }
    };
}

permissions! {
    /// Send recordings in.
    Upload = "upload",
    /// Worklist, recordings, patients: see who and what.
    ReadClinical = "read-clinical",
    /// Original bytes and printed sheets.
    ExportOriginal = "export-original",
    /// Give a held recording to a patient, or take it back.
    AssignRecording = "assign-recording",
    /// Merge and un-merge patients.
    MergePatients = "merge-patients",
    /// Destroy a patient's key.
    ErasePatient = "erase-patient",
    /// Items, quarantine and conservation, without opening a recording.
    ReadIntake = "read-intake",
    /// Users, roles, API tokens.
    ManageUsers = "manage-users",
    /// The access log and the proofs.
    ReadAccessLog = "read-access-log",
    /// Rotate the organization's keys.
    ManageKeys = "manage-keys",
    /// The queue: what waits, what was given up, what runs by the clock.
    ReadOperations = "read-operations",
    /// Try work again, give it up, pause it.
    ManageOperations = "manage-operations",
    /// Ask for access outside the role, with a reason.
    BreakGlass = "break-glass",
    /// Organizations and sites of the platform; no patient.
    ManagePlatform = "manage-platform",
}

/// What a role may do. Reads top to bottom like the sentence it stands for.
pub const fn granted(role: Role, permission: Permission) -> bool {
    use Permission as P;
    match role {
        Role::Technician => {
            matches!(permission, P::Upload | P::ReadClinical | P::ReadIntake | P::AssignRecording)
        }
        Role::Nurse => matches!(permission, P::Upload | P::ReadClinical | P::BreakGlass),
        Role::Physician => {
            matches!(
                permission,
                P::Upload
                    | P::ReadClinical
                    | P::ExportOriginal
                    | P::AssignRecording
                    | P::BreakGlass
            )
        }
        Role::Cardiologist => matches!(
            permission,
            P::Upload
                | P::ReadClinical
                | P::ExportOriginal
                | P::AssignRecording
                | P::MergePatients
                | P::ReadIntake
                | P::BreakGlass
        ),
        Role::OrganizationAdministrator => matches!(
            permission,
            P::ReadIntake
                | P::ManageUsers
                | P::MergePatients
                | P::ErasePatient
                | P::ReadAccessLog
                | P::ManageKeys
                | P::ReadOperations
                | P::ManageOperations
                | P::BreakGlass
        ),
        Role::Auditor => {
            matches!(permission, P::ReadAccessLog | P::ReadIntake | P::ReadOperations)
        }
        // De-identified data sets come with the research work; until then a researcher sees none.
        Role::Researcher => false,
        Role::Service => {
            matches!(permission, P::Upload | P::ReadClinical | P::ExportOriginal | P::ReadIntake)
        }
        Role::PlatformOperator => matches!(permission, P::ManagePlatform),
    }
}

/// What a break-glass access adds, for a role that may ask for it.
pub const BREAK_GLASS: [Permission; 2] = [Permission::ReadClinical, Permission::ExportOriginal];

/// How long a break-glass access lasts.
pub const BREAK_GLASS_SECONDS: i64 = 15 * 60;

pub fn permissions(roles: &[Role], break_glass: bool) -> BTreeSet<Permission> {
    let mut all: BTreeSet<Permission> = Permission::ALL
        .into_iter()
        .filter(|p| roles.iter().any(|role| granted(*role, *p)))
        .collect();
    if break_glass && all.contains(&Permission::BreakGlass) {
        all.extend(BREAK_GLASS);
    }
    all
}

/// The matrix as text: a row a permission, a column a role.
pub fn matrix() -> String {
    let mut text = format!("{:<20}", "");
    for role in Role::ALL {
        text.push_str(&format!("{:>27}", role.name()));
    }
    text.push('\n');
    for permission in Permission::ALL {
        text.push_str(&format!("{:<20}", permission.name()));
        for role in Role::ALL {
            let mark = match granted(role, permission) {
                true => "yes",
                false
                    if BREAK_GLASS.contains(&permission)
                        && granted(role, Permission::BreakGlass) =>
                {
                    "break-glass"
                }
                false => "-",
            };
            text.push_str(&format!("{mark:>27}"));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_is_the_reviewed_one() {
        let golden = include_str!("access_matrix.txt");
        assert_eq!(matrix(), golden, "access changed: review crates/rules/src/access_matrix.txt");
    }

    #[test]
    fn the_platform_operator_sees_no_patient_even_by_break_glass() {
        let all = permissions(&[Role::PlatformOperator], true);
        assert_eq!(all.into_iter().collect::<Vec<_>>(), [Permission::ManagePlatform]);
    }

    #[test]
    fn break_glass_only_adds_reading() {
        for role in Role::ALL {
            let before = permissions(&[role], false);
            let after = permissions(&[role], true);
            let added: Vec<_> = after.difference(&before).copied().collect();
            assert!(added.iter().all(|p| BREAK_GLASS.contains(p)), "{role:?}: {added:?}");
        }
    }
}
