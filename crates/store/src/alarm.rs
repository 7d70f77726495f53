//! Alarms of operation and the notices that are to be delivered, in the control ledger.

use async_trait::async_trait;
use precordia_app::access::PlatformScope;
use precordia_app::port::{AlarmFilter, AlarmRow, AlarmStore, NoticeKind, NoticeRow, StoreError};
use precordia_model::{AlarmCode, AlarmId, AlarmSeverity, AlarmSubject, Timestamp};

use crate::engine::{DbError, Query, Row, Script, Statement, Value, id, id_opt};
use crate::store::Store;

const ALARMS: &str = "SELECT id, code, organization, component, severity, raised_at, last_seen_at, \
     count, figures, acknowledged_at, acknowledged_by, cleared_at, version FROM alarm";

fn read_alarm(row: Row) -> Result<AlarmRow, DbError> {
    let mut f = row.fields("alarm row");
    let (alarm, code, organization, component) = (f.id()?, f.text()?, f.id_opt()?, f.text()?);
    Ok(AlarmRow {
        id: alarm,
        code,
        subject: AlarmSubject::stored(organization, component),
        severity: f.named(AlarmSeverity::parse)?,
        raised_at: f.time()?,
        last_seen_at: f.time()?,
        count: f.int()?,
        figures: {
            let text = f.text()?;
            serde_json::from_str(&text).map_err(|_| f.damaged("the figures do not decode"))?
        },
        acknowledged: f.time_opt()?.zip(f.text_opt()?),
        cleared_at: f.time_opt()?,
        version: f.int()?,
    })
}

fn read_notice(row: Row) -> Result<NoticeRow, DbError> {
    let mut f = row.fields("alarm notice row");
    Ok(NoticeRow {
        alarm: f.id()?,
        channel: f.text()?,
        kind: f.named(NoticeKind::parse)?,
        number: f.int()?,
        due: f.time()?,
        attempts: f.int()?,
    })
}

pub(crate) fn put<'a>(script: &mut Script<'a>, row: &'a AlarmRow) {
    let acknowledged = row.acknowledged.as_ref();
    let figures = serde_json::to_string(&row.figures).expect("names and counts are JSON");
    script.push(Statement {
        sql: "INSERT INTO alarm (id, code, organization, component, severity, raised_at, \
                last_seen_at, count, figures, acknowledged_at, acknowledged_by, cleared_at, version) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
              ON CONFLICT (id) DO UPDATE SET code = excluded.code, \
                organization = excluded.organization, component = excluded.component, \
                severity = excluded.severity, raised_at = excluded.raised_at, \
                last_seen_at = excluded.last_seen_at, count = excluded.count, \
                figures = excluded.figures, acknowledged_at = excluded.acknowledged_at, \
                acknowledged_by = excluded.acknowledged_by, cleared_at = excluded.cleared_at, \
                version = excluded.version",
        params: vec![
            id(row.id),
            (&row.code).into(),
            id_opt(row.subject.organization),
            row.subject.component().into(),
            row.severity.name().into(),
            row.raised_at.into(),
            row.last_seen_at.into(),
            row.count.into(),
            figures.into(),
            acknowledged.map(|(at, _)| *at).into(),
            acknowledged.map(|(_, by)| by).into(),
            row.cleared_at.into(),
            row.version.into(),
        ],
    });
}

pub(crate) fn put_notice<'a>(script: &mut Script<'a>, notice: &'a NoticeRow) {
    script.push(Statement {
        sql: "INSERT INTO alarm_notice (alarm, channel, kind, number, due, attempts) \
              VALUES ($1, $2, $3, $4, $5, $6) \
              ON CONFLICT (alarm, channel, kind) DO UPDATE SET number = excluded.number, \
                due = excluded.due, attempts = excluded.attempts",
        params: vec![
            id(notice.alarm),
            (&notice.channel).into(),
            notice.kind.name().into(),
            notice.number.into(),
            notice.due.into(),
            notice.attempts.into(),
        ],
    });
}

pub(crate) fn end_reminders(script: &mut Script<'_>, alarm: AlarmId) {
    script.push(Statement {
        sql: "DELETE FROM alarm_notice WHERE alarm = $1 AND kind = $2",
        params: vec![id(alarm), NoticeKind::Reminder.name().into()],
    });
}

/// The notice as its claim left it; another's claim counted one more.
fn this_claim(notice: &NoticeRow) -> Vec<Value<'static>> {
    vec![
        id(notice.alarm),
        notice.channel.clone().into(),
        notice.kind.name().into(),
        notice.number.into(),
        notice.attempts.into(),
    ]
}

#[async_trait]
impl AlarmStore for Store {
    async fn alarm(
        &self,
        scope: &PlatformScope,
        alarm: AlarmId,
    ) -> Result<Option<AlarmRow>, StoreError> {
        let mut query = Query::new(ALARMS);
        query.and("id = ").bind(id(alarm));
        self.find_one(scope.into(), "reading an alarm", query, read_alarm).await
    }

    async fn standing_alarm(
        &self,
        scope: &PlatformScope,
        code: AlarmCode,
        subject: &AlarmSubject,
    ) -> Result<Option<AlarmRow>, StoreError> {
        let mut query = Query::new(ALARMS);
        query.and("cleared_at IS NULL");
        query.and("code = ").bind(code.name().to_owned());
        query.and("component = ").bind(subject.component().to_owned());
        match subject.organization {
            Some(organization) => query.and("organization = ").bind(id(organization)),
            None => query.and("organization IS NULL"),
        };
        self.find_one(scope.into(), "looking for an alarm", query, read_alarm).await
    }

    async fn alarms(
        &self,
        scope: &PlatformScope,
        filter: &AlarmFilter,
        limit: u32,
    ) -> Result<Vec<AlarmRow>, StoreError> {
        let mut query = Query::new(ALARMS);
        match filter.cleared {
            Some(true) => drop(query.and("cleared_at IS NOT NULL")),
            Some(false) => drop(query.and("cleared_at IS NULL")),
            None => {}
        }
        if let Some(organization) = filter.organization {
            query.and("organization = ").bind(id(organization));
        }
        if let Some((at, alarm)) = filter.before {
            query.and("(raised_at, id) < (").bind(at).push(", ").bind(id(alarm)).push(")");
        }
        query.push(" ORDER BY raised_at DESC, id DESC LIMIT ").bind(i64::from(limit));
        self.find(scope.into(), "listing alarms", query, read_alarm).await
    }

    async fn claim_notices(
        &self,
        scope: &PlatformScope,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<NoticeRow>, StoreError> {
        // The outer comparison is made again on a row that another process just claimed.
        let sql = "UPDATE alarm_notice SET due = $1, attempts = attempts + 1 \
             WHERE due <= $2 AND (alarm, channel, kind) IN (\
               SELECT alarm, channel, kind FROM alarm_notice AS notice WHERE due <= $2 \
                 AND (kind = 'raised' OR NOT EXISTS (SELECT 1 FROM alarm_notice AS first \
                   WHERE first.alarm = notice.alarm AND first.channel = notice.channel \
                     AND first.kind = 'raised')) \
               ORDER BY due, alarm, channel, kind LIMIT $3) \
             RETURNING alarm, channel, kind, number, due, attempts";
        let params = vec![until.into(), now.into(), i64::from(limit).into()];
        let context = "claiming notices of alarms";
        let rows = self.change(scope.into(), context, sql, params).await?;
        rows.into_iter().map(read_notice).collect::<Result<_, _>>().map_err(|e| e.store(context))
    }

    async fn postpone_notice(
        &self,
        scope: &PlatformScope,
        notice: &NoticeRow,
        due: Timestamp,
    ) -> Result<(), StoreError> {
        let mut params = vec![due.into()];
        params.extend(this_claim(notice));
        let statement = Statement {
            sql: "UPDATE alarm_notice SET due = $1 WHERE alarm = $2 AND channel = $3 \
                    AND kind = $4 AND number = $5 AND attempts = $6",
            params,
        };
        self.run(scope.into(), "postponing a notice of an alarm", vec![statement]).await
    }

    async fn end_notice(
        &self,
        scope: &PlatformScope,
        notice: &NoticeRow,
        next: Option<&NoticeRow>,
    ) -> Result<(), StoreError> {
        let context = "ending a notice of an alarm";
        let statement = match next {
            None => Statement {
                sql: "DELETE FROM alarm_notice WHERE alarm = $1 AND channel = $2 AND kind = $3 \
                        AND number = $4 AND attempts = $5",
                params: this_claim(notice),
            },
            Some(next) => {
                let mut params = vec![next.number.into(), next.due.into()];
                params.extend(this_claim(notice));
                Statement {
                    sql: "UPDATE alarm_notice SET number = $1, due = $2, attempts = 0 \
                          WHERE alarm = $3 AND channel = $4 AND kind = $5 AND number = $6 \
                            AND attempts = $7",
                    params,
                }
            }
        };
        self.run(scope.into(), context, vec![statement]).await
    }
}
