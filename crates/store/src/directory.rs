//! The platform's directory of organizations and sites.

use async_trait::async_trait;
use precordia_app::access::PlatformScope;
use precordia_app::port::{Directory, OrganizationRow, SiteRow, StoreError};
use precordia_model::OrganizationId;

use crate::engine::{DbError, Query, Row, Script, Statement, id};
use crate::store::Store;

const ORGANIZATIONS: &str = "SELECT id, slug, name, setup_code_hash, version FROM organization";

fn read_organization(row: Row) -> Result<OrganizationRow, DbError> {
    let mut f = row.fields("organization row");
    Ok(OrganizationRow {
        id: f.id()?,
        slug: f.text()?,
        name: f.text()?,
        setup_code_hash: f.text_opt()?,
        version: f.int()?,
    })
}

fn read_site(row: Row) -> Result<SiteRow, DbError> {
    let mut f = row.fields("site row");
    Ok(SiteRow { id: f.id()?, organization: f.id()?, name: f.text()?, time_zone: f.text()? })
}

pub(crate) fn put_organization<'a>(script: &mut Script<'a>, row: &'a OrganizationRow) {
    script.push(Statement {
        sql: "INSERT INTO organization (id, slug, name, setup_code_hash, version) \
              VALUES ($1, $2, $3, $4, $5) \
              ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, name = excluded.name, \
                setup_code_hash = excluded.setup_code_hash, version = excluded.version",
        params: vec![
            id(row.id),
            (&row.slug).into(),
            (&row.name).into(),
            row.setup_code_hash.as_ref().into(),
            row.version.into(),
        ],
    });
}

pub(crate) fn put_site<'a>(script: &mut Script<'a>, row: &'a SiteRow) {
    script.push(Statement {
        sql: "INSERT INTO site (id, organization, name, time_zone) VALUES ($1, $2, $3, $4) \
              ON CONFLICT (id) DO UPDATE SET organization = excluded.organization, \
                name = excluded.name, time_zone = excluded.time_zone",
        params: vec![id(row.id), id(row.organization), (&row.name).into(), (&row.time_zone).into()],
    });
}

#[async_trait]
impl Directory for Store {
    async fn organizations(
        &self,
        scope: &PlatformScope,
    ) -> Result<Vec<OrganizationRow>, StoreError> {
        let mut query = Query::new(ORGANIZATIONS);
        query.push(" ORDER BY slug");
        self.find(scope.into(), "listing organizations", query, read_organization).await
    }

    async fn organization_by_slug(
        &self,
        scope: &PlatformScope,
        slug: &str,
    ) -> Result<Option<OrganizationRow>, StoreError> {
        let mut query = Query::new(ORGANIZATIONS);
        query.and("slug = ").bind(slug.to_owned());
        self.find_one(scope.into(), "reading an organization", query, read_organization).await
    }

    async fn organization(
        &self,
        scope: &PlatformScope,
        organization: OrganizationId,
    ) -> Result<Option<OrganizationRow>, StoreError> {
        let mut query = Query::new(ORGANIZATIONS);
        query.and("id = ").bind(id(organization));
        self.find_one(scope.into(), "reading an organization", query, read_organization).await
    }

    async fn sites(
        &self,
        scope: &PlatformScope,
        organization: OrganizationId,
    ) -> Result<Vec<SiteRow>, StoreError> {
        let mut query = Query::new("SELECT id, organization, name, time_zone FROM site");
        query.and("organization = ").bind(id(organization)).push(" ORDER BY name, id");
        self.find(scope.into(), "listing sites", query, read_site).await
    }

    async fn provision(
        &self,
        _scope: &PlatformScope,
        organization: OrganizationId,
    ) -> Result<(), StoreError> {
        self.provision_organization(organization).await
    }
}
