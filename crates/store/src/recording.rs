//! Recordings: the rows behind the worklist, and the searches over them.

use async_trait::async_trait;
use precordia_app::access::OrgScope;
use precordia_app::port::{
    Position, RecordingCounts, RecordingFilter, RecordingRow, RecordingStatus, RecordingViews,
    StoreError, position_of,
};
use precordia_model::{Door, FlagCode, RecordingId, Severity};

use crate::engine::{DbError, Fields, Query, Row, Script, Statement, Value, id, id_opt};
use crate::store::Store;

const COLUMNS: &str = "SELECT id, status, patient, patient_before_merge, site, door, item, blob, \
     received_at, acquired_sort, flags, position, version, sealed FROM recording";

fn read(row: Row) -> Result<RecordingRow, DbError> {
    let mut f = row.fields("recording row");
    Ok(RecordingRow {
        id: f.id()?,
        status: f.named(RecordingStatus::parse)?,
        patient: f.id_opt()?,
        patient_before_merge: f.id_opt()?,
        site: f.id_opt()?,
        door: f.named(Door::parse)?,
        item: f.id()?,
        blob: f.id()?,
        received_at: f.time()?,
        acquired_sort: f.time_opt()?,
        flags: read_flags(&mut f)?,
        position: f.int()?,
        version: f.int()?,
        sealed: f.blob()?,
    })
}

/// `code:severity`, comma-separated, in the order in which they were raised.
fn written_flags(flags: &[(FlagCode, Severity)]) -> String {
    let names = flags.iter().map(|(code, severity)| format!("{}:{}", code.name(), severity.name()));
    names.collect::<Vec<_>>().join(",")
}

fn read_flags(f: &mut Fields) -> Result<Vec<(FlagCode, Severity)>, DbError> {
    let text = f.text()?;
    let names = text.split(',').filter(|flag| !flag.is_empty());
    let flags = names.map(|flag| {
        let (code, severity) = flag.split_once(':')?;
        Some((FlagCode::parse(code)?, Severity::parse(severity)?))
    });
    flags.collect::<Option<_>>().ok_or_else(|| f.damaged("a flag is not known"))
}

pub(crate) fn put<'a>(script: &mut Script<'a>, row: &'a RecordingRow, first: Position) {
    let position = position_of(row.position, first);
    let highest = row.flags.iter().map(|(_, severity)| *severity).max();
    script.push(Statement {
        sql: "INSERT INTO recording (id, status, patient, patient_before_merge, site, door, item, \
                blob, received_at, acquired_sort, flags, severity, position, version, sealed) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
              ON CONFLICT (id) DO UPDATE SET status = excluded.status, \
                patient = excluded.patient, \
                patient_before_merge = excluded.patient_before_merge, site = excluded.site, \
                door = excluded.door, item = excluded.item, blob = excluded.blob, \
                received_at = excluded.received_at, acquired_sort = excluded.acquired_sort, \
                flags = excluded.flags, severity = excluded.severity, \
                position = excluded.position, version = excluded.version, \
                sealed = excluded.sealed",
        params: vec![
            id(row.id),
            row.status.name().into(),
            id_opt(row.patient),
            id_opt(row.patient_before_merge),
            id_opt(row.site),
            row.door.name().into(),
            id(row.item),
            id(row.blob),
            row.received_at.into(),
            row.acquired_sort.into(),
            written_flags(&row.flags).into(),
            highest.map(Severity::name).into(),
            position.into(),
            row.version.into(),
            (&row.sealed).into(),
        ],
    });
    remove_flags(script, row.id);
    for (code, severity) in &row.flags {
        script.push(Statement {
            sql: "INSERT INTO recording_flag (code, severity, recording) VALUES ($1, $2, $3) \
                  ON CONFLICT (code, severity, recording) DO NOTHING",
            params: vec![code.name().into(), severity.name().into(), id(row.id)],
        });
    }
}

pub(crate) fn remove(script: &mut Script<'_>, recording: RecordingId) {
    script.push(Statement {
        sql: "DELETE FROM recording WHERE id = $1",
        params: vec![id(recording)],
    });
    remove_flags(script, recording);
}

fn remove_flags(script: &mut Script<'_>, recording: RecordingId) {
    script.push(Statement {
        sql: "DELETE FROM recording_flag WHERE recording = $1",
        params: vec![id(recording)],
    });
}

fn at_least(severity: Severity) -> impl Iterator<Item = Value<'static>> {
    let all = [Severity::Info, Severity::Borderline, Severity::Alert];
    all.into_iter().filter(move |s| *s >= severity).map(|s| s.name().into())
}

/// The conditions of a filter but its cursor.
fn narrow(query: &mut Query, filter: &RecordingFilter) -> Result<(), DbError> {
    if let Some(patients) = &filter.patients {
        query.and("patient IN ").list(patients.iter().map(id))?;
    }
    if let Some(blob) = filter.blob {
        query.and("blob = ").bind(id(blob));
    }
    if let Some(ids) = &filter.ids {
        query.and("id IN ").list(ids.iter().map(id))?;
    }
    if let Some(from) = filter.acquired_from {
        query.and("acquired_sort >= ").bind(from);
    }
    if let Some(before) = filter.acquired_before {
        query.and("acquired_sort < ").bind(before);
    }
    if let Some(site) = filter.site {
        query.and("site = ").bind(id(site));
    }
    // With both, one and the same flag has the code and the severity.
    match (filter.flag, filter.severity_min) {
        (Some(code), severity) => {
            query.and("id IN (SELECT recording FROM recording_flag WHERE code = ");
            query.bind(code.name()).push(" AND severity IN ");
            query.list(at_least(severity.unwrap_or(Severity::Info)))?.push(")");
        }
        (None, Some(severity)) => {
            query.and("severity IN ").list(at_least(severity))?;
        }
        (None, None) => {}
    }
    if let Some(status) = filter.status {
        query.and("status = ").bind(status.name());
    }
    Ok(())
}

#[async_trait]
impl RecordingViews for Store {
    async fn recording(
        &self,
        scope: &OrgScope,
        recording: RecordingId,
    ) -> Result<Option<RecordingRow>, StoreError> {
        let mut query = Query::new(COLUMNS);
        query.and("id = ").bind(id(recording));
        self.find_one(scope.into(), "reading a recording", query, read).await
    }

    async fn recordings(
        &self,
        scope: &OrgScope,
        filter: &RecordingFilter,
        limit: u32,
    ) -> Result<Vec<RecordingRow>, StoreError> {
        let context = "listing recordings";
        let mut query = Query::new(COLUMNS);
        narrow(&mut query, filter).map_err(|e| e.store(context))?;
        if let Some((at, recording)) = filter.before {
            query.and("(received_at, id) < (").bind(at).push(", ").bind(id(recording)).push(")");
        }
        query.push(" ORDER BY received_at DESC, id DESC LIMIT ").bind(i64::from(limit));
        self.find(scope.into(), context, query, read).await
    }

    /// Each recording counts once, under its highest severity. The cursor is not part of the question.
    async fn searched_flags(
        &self,
        scope: &OrgScope,
        recording: RecordingId,
    ) -> Result<(Vec<(FlagCode, Severity)>, Option<Severity>), StoreError> {
        let context = "reading searched flags";
        let mut query = Query::new("SELECT code, severity FROM recording_flag");
        query.and("recording = ").bind(id(recording));
        let flags = self.find(scope.into(), context, query, |row| {
            let mut f = row.fields("flag");
            Ok((f.named(FlagCode::parse)?, f.named(Severity::parse)?))
        });
        let flags = flags.await?;
        let mut query = Query::new("SELECT severity FROM recording");
        query.and("severity IS NOT NULL").and("id = ").bind(id(recording));
        let highest = self.find_one(scope.into(), context, query, |row| {
            row.fields("recording row").named(Severity::parse)
        });
        Ok((flags, highest.await?))
    }

    async fn recording_counts(
        &self,
        scope: &OrgScope,
        filter: &RecordingFilter,
    ) -> Result<RecordingCounts, StoreError> {
        let context = "counting recordings";
        let mut query = Query::new(
            "SELECT count(*), count(*) FILTER (WHERE severity = 'alert'), \
             count(*) FILTER (WHERE severity = 'borderline'), \
             count(*) FILTER (WHERE severity = 'info'), \
             count(*) FILTER (WHERE status = 'held') FROM recording",
        );
        narrow(&mut query, filter).map_err(|e| e.store(context))?;
        let counts = self.find_one(scope.into(), context, query, |row| {
            let mut f = row.fields("recording counts");
            Ok(RecordingCounts {
                total: f.int()?,
                alert: f.int()?,
                borderline: f.int()?,
                info: f.int()?,
                held: f.int()?,
            })
        });
        Ok(counts.await?.unwrap_or_default())
    }
}
