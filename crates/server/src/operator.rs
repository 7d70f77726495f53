//! The page of whoever runs the installation: its alarms, in a browser, without signing in.
//!
//! It shows what `precordia alarms list --all` shows and changes nothing. It has no script and needs none
//! of the pages' files, and it is there while the storage is not.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use precordia_app::AlarmOverview;
use precordia_app::port::AlarmRow;
use precordia_model::{AlarmCode, OrganizationId, Timestamp};

use crate::error::Failure;
use crate::operations::{STORAGE_TIME, is_of_operator};
use crate::state::Server;

/// The slash at its end keeps the token to this page: a browser sends a password that was asked for here to
/// whatever lies below the last slash (RFC 7617 section 2.2), which would otherwise be everything, and take
/// the place of the session.
pub(crate) const ADDRESS: &str = "/operator/";
const CHALLENGE: &str = "Basic realm=\"precordia operator\", charset=\"UTF-8\"";
const STYLE: &str = include_str!("operator.css");
const RELOAD_SECONDS: u32 = 30;
/// The query of the page that stands still, for who needs longer to read it (WCAG 2.2.1).
const STILL: &str = "reload=off";

/// Without the slash.
pub(crate) async fn moved() -> Redirect {
    Redirect::permanent(ADDRESS)
}

/// Like the metrics, but asks for the token where there is one: a browser gives it only then.
pub(crate) async fn page(State(server): State<Server>, request: Request) -> Response {
    if !is_of_operator(&server, &request) {
        return match server.metrics_token {
            Some(_) => ask_for_token().into_response(),
            None => Failure::not_found().into_response(),
        };
    }
    let operator = server.app.local_operator();
    let overview = server.app.alarms().overview(&operator).await;
    let organizations = match overview.ledger_answers {
        true => tokio::time::timeout(STORAGE_TIME, server.app.organizations(&operator)).await,
        false => Ok(Ok(Vec::new())),
    };
    let organizations = organizations.ok().and_then(Result::ok).unwrap_or_default();
    let page = Page {
        overview,
        slugs: organizations.into_iter().map(|one| (one.id, one.slug)).collect(),
        made_at: server.app.now(),
        reloads: request.uri().query() != Some(STILL),
    };
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page.to_string()).into_response()
}

fn ask_for_token() -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, "token_required", "this page is for who runs the server")
        .hint("give the metrics token of the configuration as the password, with any user name")
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE))
}

struct Page {
    overview: AlarmOverview,
    slugs: BTreeMap<OrganizationId, String>,
    made_at: Timestamp,
    reloads: bool,
}

impl Display for Page {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let AlarmOverview { standing, cleared, more, ledger_answers } = &self.overview;
        let count = format!("{}{}", standing.len(), if *more { "+" } else { "" });
        let reload = if self.reloads {
            format!("<meta http-equiv=\"refresh\" content=\"{RELOAD_SECONDS}\">\n")
        } else {
            String::new()
        };
        write!(
            f,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
            <meta name=\"viewport\" content=\"width=device-width\">\n\
            <meta name=\"color-scheme\" content=\"light dark\">\n{reload}\
            <title>({count}) Alarms of operation - Precordia</title>\n<style>\n{STYLE}</style>\n</head>\n\
            <body>\n<main>\n<h1>Alarms of operation</h1>\n<p>Made at {}. {}</p>\n",
            Time(self.made_at),
            if self.reloads {
                format!(
                    "It is made anew every {RELOAD_SECONDS} s (<a href=\"?{STILL}\">stop that</a>)."
                )
            } else {
                format!("It stands still (<a href=\"{ADDRESS}\">make it anew</a>).")
            },
        )?;
        if !ledger_answers {
            f.write_str(
                "<p class=\"fault\"><strong>The storage does not answer.</strong> What stands here was last known \
                or is met by this process; there may be more, and some of it may be over.</p>\n",
            )?;
        }
        match (standing.is_empty(), ledger_answers) {
            (false, _) => self.table(f, "Alarms that stand", standing)?,
            (true, true) => f.write_str("<p>Nothing needs a hand.</p>\n")?,
            (true, false) => f.write_str("<p>No alarm is known.</p>\n")?,
        }
        if *more {
            let shown = standing.len();
            writeln!(f, "<p>More than {shown} stand; these are the newest.</p>")?;
        }
        if !cleared.is_empty() {
            self.table(f, "Alarms that are over", cleared)?;
        }
        f.write_str(
            "<p>Who knows of an alarm says so on the command line of the server, and nobody is reminded of it any \
            more: <code>precordia alarms acknowledge ID</code>. This page changes nothing.</p>\n\
            </main>\n</body>\n</html>\n",
        )
    }
}

const COLUMNS: [&str; 7] = ["Severity", "Code", "Text", "Whose", "Since", "Seen", "State"];

impl Page {
    /// Roles are said again: a table whose parts are laid out as blocks is none to a screen reader.
    fn table(&self, f: &mut Formatter<'_>, caption: &str, rows: &[AlarmRow]) -> fmt::Result {
        writeln!(f, "<table role=\"table\">\n<caption>{caption}</caption>")?;
        f.write_str("<thead role=\"rowgroup\"><tr role=\"row\">")?;
        for column in COLUMNS {
            write!(f, "<th role=\"columnheader\" scope=\"col\">{column}</th>")?;
        }
        f.write_str("</tr></thead>\n<tbody role=\"rowgroup\">\n")?;
        rows.iter().try_for_each(|row| self.row(f, row))?;
        f.write_str("</tbody>\n</table>\n")
    }

    fn row(&self, f: &mut Formatter<'_>, row: &AlarmRow) -> fmt::Result {
        let severity = row.severity.name();
        let cells = [
            severity.to_owned(),
            format!("<code>{}</code>", Text(&row.code)),
            text_of(row),
            self.whose(row),
            Time(row.raised_at).to_string(),
            seen(row),
            state(row),
        ];
        f.write_str("<tr role=\"row\">\n")?;
        for (column, cell) in COLUMNS.iter().zip(cells) {
            let class = match *column {
                "Severity" => format!(" class=\"{severity}\""),
                _ => String::new(),
            };
            writeln!(f, "<td role=\"cell\"{class} data-column=\"{column}\">{cell}</td>")?;
        }
        f.write_str("</tr>\n")
    }

    fn whose(&self, row: &AlarmRow) -> String {
        let whose = match row.subject.organization {
            None => String::from("installation"),
            Some(id) => self.slugs.get(&id).cloned().unwrap_or_else(|| id.to_string()),
        };
        format!("{}<div>{}</div>", Text(&whose), Text(row.subject.component()))
    }
}

/// A code that a later version wrote has no text in this one.
fn text_of(row: &AlarmRow) -> String {
    match AlarmCode::parse(&row.code) {
        Some(code) => format!("{}<div>{}</div>", Text(code.meaning()), Text(code.to_do())),
        None => String::from("This version does not know the code."),
    }
}

fn seen(row: &AlarmRow) -> String {
    let times = if row.count == 1 { "once" } else { &format!("{} times", row.count) };
    let figures: Vec<String> =
        row.figures.iter().map(|(name, value)| format!("{} {value}", Text(name))).collect();
    format!("{times}, last {}<div>{}</div>", Time(row.last_seen_at), figures.join(", "))
}

fn state(row: &AlarmRow) -> String {
    let name = row.state().name();
    match (row.cleared_at, &row.acknowledged) {
        (Some(at), _) => format!("{name} {}", Time(at)),
        (None, Some((at, by))) => format!("{name} {}<div>by {}</div>", Time(*at), Text(by)),
        (None, None) => format!("{name}<div>ID <code>{}</code></div>", row.id),
    }
}

/// Without fractions of a second, for eyes.
struct Time(Timestamp);

impl Display for Time {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exact = self.0.to_rfc3339();
        let part = |range| exact.get(range).unwrap_or_default();
        let (day, time) = (part(0..10), part(11..19));
        write!(f, "<time datetime=\"{exact}\">{day} {time} UTC</time>")
    }
}

/// Text that is not ours to trust, in an element or between double quotation marks.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            other => write!(f, "{other}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use precordia_model::{AlarmFigures, AlarmId, AlarmSeverity, AlarmSubject};
    use uuid::Uuid;

    use super::*;

    fn row(code: &str, subject: AlarmSubject) -> AlarmRow {
        AlarmRow {
            id: AlarmId(Uuid::from_u128(7)),
            code: code.to_owned(),
            subject,
            severity: AlarmSeverity::Critical,
            raised_at: Timestamp(0),
            last_seen_at: Timestamp(0).plus_seconds(61),
            count: 3,
            figures: AlarmFigures::from([(String::from("free_bytes"), 12)]),
            acknowledged: None,
            cleared_at: None,
            version: 1,
        }
    }

    fn page(standing: Vec<AlarmRow>, ledger_answers: bool) -> String {
        let overview = AlarmOverview { standing, ledger_answers, ..AlarmOverview::default() };
        let page = Page { overview, slugs: BTreeMap::new(), made_at: Timestamp(0), reloads: true };
        page.to_string()
    }

    #[test]
    fn an_alarm_is_shown_with_all_that_is_known_of_it() {
        let page = page(vec![row("storage.full", AlarmSubject::platform("ledger"))], true);
        for part in [
            "<title>(1) ",
            "<td role=\"cell\" class=\"critical\" data-column=\"Severity\">critical</td>",
            "<code>storage.full</code>",
            "The storage refused a write because it is full.<div>Make room.",
            "installation<div>ledger</div>",
            ">1970-01-01 00:00:00 UTC</time></td>",
            "3 times, last <time datetime=\"1970-01-01T00:01:01.000Z\">",
            "<div>free_bytes 12</div>",
            "open<div>ID <code>00000000-0000-0000-0000-000000000007</code></div>",
        ] {
            assert!(page.contains(part), "no `{part}` in {page}");
        }
    }

    #[test]
    fn what_was_stored_cannot_break_out_of_the_page() {
        let subject = AlarmSubject::stored(None, String::from("a<script>'b'</script>&\"c\""));
        let mut row = row("<b>later.code", subject);
        row.figures.insert(String::from("<i>"), 1);
        row.acknowledged = Some((Timestamp(0), String::from("user/<u>")));
        let page = page(vec![row], true);
        for part in ["<script", "<b>", "<i>", "<u>", "\"c\"", "'b'"] {
            assert!(!page.contains(part), "`{part}` in {page}");
        }
        assert!(page.contains("a&lt;script&gt;&#39;b&#39;&lt;/script&gt;&amp;&quot;c&quot;"));
        assert!(page.contains("<code>&lt;b&gt;later.code</code>"), "{page}");
    }

    #[test]
    fn an_organization_that_cannot_be_looked_up_is_named_by_its_id() {
        let id = OrganizationId(Uuid::from_u128(9));
        let page = page(vec![row("work.stuck", AlarmSubject::organization(id, "work"))], true);
        assert!(page.contains(&format!("{id}<div>work</div>")), "{page}");
    }

    #[test]
    fn only_a_ledger_that_answers_says_that_all_is_well() {
        assert!(page(Vec::new(), true).contains("Nothing needs a hand."));
        let page = page(Vec::new(), false);
        assert!(!page.contains("Nothing needs a hand."), "{page}");
        assert!(page.contains("The storage does not answer."), "{page}");
    }
}
