//! Patients and the blind-index tokens by which they are found.

use async_trait::async_trait;
use precordia_app::access::OrgScope;
use precordia_app::port::{PatientRow, PatientViews, StoreError};
use precordia_model::PatientId;

use crate::engine::{DbError, Query, Row, Script, Statement, Value, id, id_opt};
use crate::store::Store;

const COLUMNS: &str = "SELECT id, merged_into, version, resource_version, sealed FROM patient";

fn read(row: Row) -> Result<PatientRow, DbError> {
    let mut f = row.fields("patient row");
    Ok(PatientRow {
        id: f.id()?,
        merged_into: f.id_opt()?,
        version: f.int()?,
        resource_version: f.int()?,
        sealed: f.blob()?,
    })
}

pub(crate) fn put<'a>(script: &mut Script<'a>, row: &'a PatientRow) {
    script.push(Statement {
        sql: "INSERT INTO patient (id, merged_into, version, resource_version, sealed) \
              VALUES ($1, $2, $3, $4, $5) \
              ON CONFLICT (id) DO UPDATE SET merged_into = excluded.merged_into, \
                version = excluded.version, resource_version = excluded.resource_version, \
                sealed = excluded.sealed",
        params: vec![
            id(row.id),
            id_opt(row.merged_into),
            row.version.into(),
            row.resource_version.into(),
            (&row.sealed).into(),
        ],
    });
}

pub(crate) fn put_tokens<'a>(script: &mut Script<'a>, patient: PatientId, tokens: &'a [Vec<u8>]) {
    remove_tokens(script, patient);
    for token in tokens {
        script.push(Statement {
            sql: "INSERT INTO patient_token (token, patient) VALUES ($1, $2) \
                  ON CONFLICT (token, patient) DO NOTHING",
            params: vec![token.into(), id(patient)],
        });
    }
}

pub(crate) fn remove(script: &mut Script<'_>, patient: PatientId) {
    script.push(Statement { sql: "DELETE FROM patient WHERE id = $1", params: vec![id(patient)] });
    remove_tokens(script, patient);
}

fn remove_tokens(script: &mut Script<'_>, patient: PatientId) {
    script.push(Statement {
        sql: "DELETE FROM patient_token WHERE patient = $1",
        params: vec![id(patient)],
    });
}

#[async_trait]
impl PatientViews for Store {
    async fn patient(
        &self,
        scope: &OrgScope,
        patient: PatientId,
    ) -> Result<Option<PatientRow>, StoreError> {
        let mut query = Query::new(COLUMNS);
        query.and("id = ").bind(id(patient));
        self.find_one(scope.into(), "reading a patient", query, read).await
    }

    async fn patients(
        &self,
        scope: &OrgScope,
        ids: &[PatientId],
    ) -> Result<Vec<PatientRow>, StoreError> {
        let context = "reading patients";
        let mut query = Query::new(COLUMNS);
        query.and("id IN ").list(ids.iter().map(id)).map_err(|e| e.store(context))?;
        query.push(" ORDER BY id");
        self.find(scope.into(), context, query, read).await
    }

    async fn patients_by_tokens(
        &self,
        scope: &OrgScope,
        groups: &[Vec<Vec<u8>>],
        after: Option<PatientId>,
        limit: u32,
    ) -> Result<Vec<PatientRow>, StoreError> {
        let context = "searching patients";
        let mut query = Query::new(COLUMNS);
        for group in groups {
            query.and("id IN (SELECT patient FROM patient_token WHERE token IN ");
            let tokens = group.iter().map(|token| Value::from(token.clone()));
            query.list(tokens).map_err(|e| e.store(context))?.push(")");
        }
        if let Some(after) = after {
            query.and("id > ").bind(id(after));
        }
        query.push(" ORDER BY id LIMIT ").bind(i64::from(limit));
        self.find(scope.into(), context, query, read).await
    }

    async fn tokens_of(
        &self,
        scope: &OrgScope,
        patient: PatientId,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut query = Query::new("SELECT token FROM patient_token");
        query.and("patient = ").bind(id(patient)).push(" ORDER BY token");
        self.find(scope.into(), "reading a patient's tokens", query, |row| {
            row.fields("token").blob()
        })
        .await
    }

    async fn merged_from(
        &self,
        scope: &OrgScope,
        into: PatientId,
    ) -> Result<Vec<PatientId>, StoreError> {
        let mut query = Query::new("SELECT id FROM patient");
        query.and("merged_into = ").bind(id(into)).push(" ORDER BY id");
        self.find(scope.into(), "reading merged patients", query, |row| {
            row.fields("patient row").id()
        })
        .await
    }
}
