//! Organizations and their sites: made by configuration, idempotent, and rolled forward after a crash.

use precordia_model::{OrganizationId, Role, SiteId};
use precordia_rules::event::{Event, OrganizationFacts, SiteFacts};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::access::{OrgScope, PlatformScope, SETUP, SignInRefusal, SignedIn, hash};
use crate::app::{App, AppError};
use crate::authority::Authorities;
use crate::keys::KeyError;
use crate::ledger::Draft;
use crate::port::{
    Batch, EffectKey, KeyKind, OrganizationRow, Realm, RealmId, SiteRow, Stream, ViewChange,
};
use crate::user::{NewUser, hex};
use crate::view::directory::slug_effect;

/// What `org apply` reads.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationSpec {
    /// What people type at sign-in: lower-case letters, digits and hyphens.
    pub slug: String,
    pub name: String,
    #[serde(default, rename = "site")]
    pub sites: Vec<SiteSpec>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteSpec {
    pub name: String,
    /// IANA time zone name.
    pub time_zone: String,
}

#[derive(Clone, Debug)]
pub struct Applied {
    pub organization: OrganizationRow,
    pub sites: Vec<SiteRow>,
    /// What was done, in words, a line each.
    pub changes: Vec<String>,
    /// One-time code of the first administrator, shown once.
    pub setup_code: Option<Zeroizing<String>>,
}

impl App {
    /// Brings an organization to what the specification says. Running it again changes nothing.
    pub async fn apply_organization(
        &self,
        platform: &PlatformScope,
        spec: &OrganizationSpec,
    ) -> Result<Applied, AppError> {
        check(spec)?;
        self.ensure_platform(platform).await?;
        let mut changes = Vec::new();
        let (mut row, setup_code) =
            match self.ports.directory.organization_by_slug(platform, &spec.slug).await? {
                Some(row) => (row, None),
                None => self.register(platform, spec, &mut changes).await?,
            };
        if row.name != spec.name {
            row = self.rename(platform, row, &spec.name).await?;
            changes.push(format!("renamed to {}", row.name));
        }
        self.ports.directory.provision(platform, row.id).await?;
        if self.ensure_organization_keys(row.id).await? {
            changes.push(String::from("made its keys"));
        }
        for site in &spec.sites {
            if self.ensure_site(platform, row.id, site).await? {
                changes.push(format!("registered site {}", site.name));
            }
        }
        let sites = self.ports.directory.sites(platform, row.id).await?;
        Ok(Applied { organization: row, sites, changes, setup_code })
    }

    /// The control ledger's own keys.
    pub async fn ensure_platform(&self, platform: &PlatformScope) -> Result<(), AppError> {
        let realm = Realm::from(platform);
        self.ensure_realm_keys(realm).await?;
        if self.ports.keys.of_subject(realm, "signing").await?.is_empty() {
            let (_, _, change) =
                self.keyring.create_top(RealmId::PLATFORM, KeyKind::Signing, "signing").await?;
            self.add_once(realm, "key/signing", vec![change]).await?;
        }
        Ok(())
    }

    pub(crate) async fn ensure_organization_keys(
        &self,
        id: OrganizationId,
    ) -> Result<bool, AppError> {
        let scope = self.system_scope(id, "setup");
        self.ensure_realm_keys((&scope).into()).await
    }

    async fn ensure_realm_keys(&self, realm: Realm<'_>) -> Result<bool, AppError> {
        match self.keyring.realm(realm).await {
            Ok(_) => Ok(false),
            Err(KeyError::NoOrganizationKey(_)) => {
                let (organization, _, first) = self
                    .keyring
                    .create_top(realm.id(), KeyKind::Organization, "organization")
                    .await?;
                let (_, second) =
                    self.keyring.create(realm.id(), KeyKind::Index, "index", &organization);
                self.add_once(realm, "key/organization", vec![first, second]).await?;
                Ok(true)
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Adds keys unless another process was first; then theirs are used.
    async fn add_once(
        &self,
        realm: Realm<'_>,
        effect: &str,
        keys: Vec<crate::port::KeyChange>,
    ) -> Result<(), AppError> {
        let effect = EffectKey { key: effect.to_owned(), subject: String::from("-") };
        let batch = Batch { keys, effects: vec![effect], ..Batch::default() };
        self.append(realm, batch).await?;
        Ok(())
    }

    async fn register(
        &self,
        platform: &PlatformScope,
        spec: &OrganizationSpec,
        changes: &mut Vec<String>,
    ) -> Result<(OrganizationRow, Option<Zeroizing<String>>), AppError> {
        let id = OrganizationId(self.new_id());
        let code = Zeroizing::new(self.new_secret()[..20].to_owned());
        let row = OrganizationRow {
            id,
            slug: spec.slug.clone(),
            name: spec.name.clone(),
            setup_code_hash: Some(hex(&hash(&code))),
            version: 1,
        };
        let realm = Realm::from(platform);
        let keys = self.keyring.realm(realm).await?;
        let stream = Stream::new("organization", id);
        let mut draft = Draft::new(self, realm);
        let facts = OrganizationFacts { id, slug: spec.slug.clone(), name: spec.name.clone() };
        draft.event(&keys.organization, &stream, 1, &Event::OrganizationRegistered(facts));
        draft.batch.effects.push(slug_effect(&row));
        draft.view(ViewChange::Organization(row.clone()));
        draft.commit(realm).await?;
        changes.push(format!("registered organization {}", spec.slug));
        Ok((row, Some(code)))
    }

    async fn rename(
        &self,
        platform: &PlatformScope,
        row: OrganizationRow,
        name: &str,
    ) -> Result<OrganizationRow, AppError> {
        self.change_organization(
            platform,
            OrganizationRow { name: name.to_owned(), version: row.version + 1, ..row },
        )
        .await
    }

    async fn change_organization(
        &self,
        platform: &PlatformScope,
        row: OrganizationRow,
    ) -> Result<OrganizationRow, AppError> {
        let realm = Realm::from(platform);
        let keys = self.keyring.realm(realm).await?;
        let mut draft = Draft::new(self, realm);
        let facts =
            OrganizationFacts { id: row.id, slug: row.slug.clone(), name: row.name.clone() };
        let stream = Stream::new("organization", row.id);
        draft.event(&keys.organization, &stream, row.version, &Event::OrganizationChanged(facts));
        draft.view(ViewChange::Organization(row.clone()));
        draft.commit(realm).await?;
        Ok(row)
    }

    async fn ensure_site(
        &self,
        platform: &PlatformScope,
        organization: OrganizationId,
        site: &SiteSpec,
    ) -> Result<bool, AppError> {
        let known = self.ports.directory.sites(platform, organization).await?;
        if known.iter().any(|row| row.name == site.name) {
            return Ok(false);
        }
        let id = SiteId(self.new_id());
        let realm = Realm::from(platform);
        let keys = self.keyring.realm(realm).await?;
        let mut draft = Draft::new(self, realm);
        let facts = SiteFacts {
            id,
            organization,
            name: site.name.clone(),
            time_zone: site.time_zone.clone(),
        };
        draft.event(&keys.organization, &Stream::new("site", id), 1, &Event::SiteRegistered(facts));
        let row = SiteRow {
            id,
            organization,
            name: site.name.clone(),
            time_zone: site.time_zone.clone(),
        };
        draft.view(ViewChange::Site(row));
        draft.commit(realm).await?;
        Ok(true)
    }

    pub async fn organizations(
        &self,
        platform: &PlatformScope,
    ) -> Result<Vec<OrganizationRow>, AppError> {
        Ok(self.ports.directory.organizations(platform).await?)
    }

    /// Ids and names of the organization's own sites.
    pub async fn sites(&self, scope: &OrgScope) -> Result<Vec<(SiteId, String)>, AppError> {
        let sites = self.ports.directory.sites(&self.platform(), scope.organization()).await?;
        Ok(sites.into_iter().map(|site| (site.id, site.name)).collect())
    }

    /// What the organization calls those who give identifiers.
    pub async fn authorities(&self, scope: &OrgScope) -> Result<Authorities, AppError> {
        let directory = &self.ports.directory;
        let row = directory.organization(&self.platform(), scope.organization()).await?;
        let name = row.map(|row| row.name).ok_or(AppError::NotFound("organization"))?;
        Ok(Authorities::new(scope, name))
    }

    /// Whether an organization still waits for its first administrator.
    pub async fn setup_needed(&self, slug: &str) -> Result<bool, AppError> {
        let row = self.ports.directory.organization_by_slug(&self.platform(), slug).await?;
        Ok(row.is_some_and(|row| row.setup_code_hash.is_some()))
    }

    /// Makes the first administrator, for whoever holds the one-time code, and signs them in.
    pub async fn set_up(
        &self,
        slug: &str,
        code: &str,
        user_name: &str,
        display_name: &str,
        password: Zeroizing<String>,
    ) -> Result<SignedIn, SignInRefusal> {
        let platform = self.platform();
        let name = format!("{SETUP}{slug}");
        if let Err(seconds) = self.throttle.begin(&[&name], self.now()) {
            return Err(SignInRefusal::Wait { seconds });
        }
        let wrong = || {
            let text = "the code is wrong or was used already";
            SignInRefusal::App(AppError::refused("setup_code_wrong", text))
        };
        let row =
            self.ports.directory.organization_by_slug(&platform, slug).await?.ok_or_else(wrong)?;
        let expected = row.setup_code_hash.as_deref().ok_or_else(wrong)?;
        let given = hex(&hash(code.trim()));
        if aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_bytes(), given.as_bytes())
            .is_err()
        {
            return Err(wrong());
        }
        self.throttle.succeeded(&name, None);
        let scope = self.system_scope(row.id, "setup");
        let new = NewUser {
            user_name: user_name.to_owned(),
            display_name: display_name.to_owned(),
            roles: vec![Role::OrganizationAdministrator],
            password,
        };
        let user = self.add_user_unchecked(&scope, new).await?;
        let row = self
            .change_organization(
                &platform,
                OrganizationRow { setup_code_hash: None, version: row.version + 1, ..row },
            )
            .await?;
        let user = self
            .ports
            .accounts
            .user((&scope).into(), user.id)
            .await?
            .ok_or_else(|| AppError::Damaged("the new user is not there".into()))?;
        Ok(self.open_session(row, user).await?)
    }
}

fn check(spec: &OrganizationSpec) -> Result<(), AppError> {
    let invalid = |field, text: &str| Err(AppError::Invalid { field, text: text.to_owned() });
    let slug_ok = (2..=40).contains(&spec.slug.len())
        && spec.slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && spec.slug.starts_with(|c: char| c.is_ascii_lowercase());
    match () {
        () if !slug_ok => {
            invalid("slug", "give 2 to 40 lower-case letters, digits and hyphens, a letter first")
        }
        () if spec.slug == "platform" => invalid("slug", "`platform` is taken"),
        () if spec.name.trim().is_empty() || spec.name.chars().count() > 200 => {
            invalid("name", "give 1 to 200 characters")
        }
        () if spec
            .sites
            .iter()
            .any(|site| site.name.trim().is_empty() || site.name.chars().count() > 200) =>
        {
            invalid("site.name", "give 1 to 200 characters")
        }
        () if spec
            .sites
            .iter()
            .any(|site| site.time_zone.is_empty() || site.time_zone.len() > 64) =>
        {
            invalid("site.time_zone", "give an IANA time zone name, for example Europe/London")
        }
        () => Ok(()),
    }
}
