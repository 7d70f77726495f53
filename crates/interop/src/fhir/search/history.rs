//! What is asked of a resource's history (R4 http 3.1.0.10): understood exactly or refused, as a search is.

use precordia_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::{DateRange, IssueCode};
use super::SearchRefusal;
use super::parse::{PARAMETERS_MAX, alone, json_format, once, page_size, page_token, refusal};
use super::value::{Wrong, wrong};

/// Which versions of a resource are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryQuery {
    /// Versions made at this moment or later.
    pub since: Option<Timestamp>,
    /// Versions that were the current one at some moment of this span.
    pub at: Option<DateRange>,
    /// Versions on a page, from 1; the server may send fewer.
    pub count: Option<u32>,
}

impl HistoryQuery {
    /// Whether a version is asked for that was made at `made` and followed by another at `followed`.
    pub fn takes(&self, made: Timestamp, followed: Option<Timestamp>) -> bool {
        let since = self.since.is_none_or(|since| made >= since);
        let at = self.at.is_none_or(|span| {
            made < span.until
                && followed.is_none_or(|followed| followed > span.from && followed > made)
        });
        since && at
    }
}

/// A history that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryAsked {
    Versions(HistoryQuery),
    /// A further page; the token stands for the whole question.
    Page(String),
}

/// Parses the parameters of a history, already percent-decoded.
pub fn parse_history(parameters: &[(String, String)]) -> Result<HistoryAsked, SearchRefusal> {
    if parameters.len() > PARAMETERS_MAX {
        let text = format!("a history has at most {PARAMETERS_MAX} parameters");
        return Err(refusal(&parameters[PARAMETERS_MAX].0, IssueCode::TooCostly, text));
    }
    let (mut page, mut format) = (None, None);
    let (mut since, mut at, mut count) = (None, None, None);
    for (name, value) in parameters {
        let taken = match name.as_str() {
            "_page" => once(&mut page, page_token(value)),
            "_format" => once(&mut format, json_format(value)),
            "_count" => once(&mut count, page_size(value)),
            "_since" => once(&mut since, instant(value)),
            "_at" => once(&mut at, span(value)),
            _ => Err(wrong(IssueCode::NotSupported, "is not known or not supported for a history")),
        };
        taken.map_err(|(code, text)| refusal(name, code, text))?;
    }
    match page {
        None => Ok(HistoryAsked::Versions(HistoryQuery { since, at, count })),
        Some(token) => {
            alone(parameters)?;
            Ok(HistoryAsked::Page(token))
        }
    }
}

/// R4 `instant`: to the second at least, with its zone.
fn instant(value: &str) -> Result<Timestamp, Wrong> {
    let to_the_second =
        value.split_once('T').is_some_and(|(_, time)| time.as_bytes().get(5) == Some(&b':'));
    let range = DateRange::parse(value).filter(|_| to_the_second);
    range.map(|range| range.from).ok_or_else(|| {
        wrong(
            IssueCode::Value,
            "must be a time to the second with its zone, as in 2024-05-17T08:30:00Z",
        )
    })
}

fn span(value: &str) -> Result<DateRange, Wrong> {
    DateRange::parse(value).ok_or_else(|| {
        wrong(
            IssueCode::Value,
            "must be YYYY, YYYY-MM, YYYY-MM-DD or a time with its zone; prefixes are not supported",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Result<HistoryAsked, SearchRefusal> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        parse_history(&pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).collect::<Vec<_>>())
    }

    #[test]
    fn parameters_of_a_history_are_taken_or_refused_by_name() {
        for taken in [
            "",
            "_since=2024-05-17T08:30:00Z",
            "_since=2024-05-17T08:30:00.25+02:00&_count=3&_format=json",
            "_at=2024",
            "_at=2024-05-17T08:30Z&_since=2024-05-17T08:30:00Z",
            "_page=abc",
            "_page=abc&_format=json",
        ] {
            assert!(asked(taken).is_ok(), "{taken}");
        }
        for (refused, parameter) in [
            ("_since=2024", "_since"),
            ("_since=2024-05-17T08:30Z", "_since"),
            ("_since=2024-05-17T08:30:00", "_since"),
            ("_at=ge2024", "_at"),
            ("_at=", "_at"),
            ("_count=0", "_count"),
            ("_count=1&_count=1", "_count"),
            ("_page=a&_count=1", "_count"),
            ("_sort=_lastUpdated", "_sort"),
            ("_list=1", "_list"),
            ("family=x", "family"),
            ("_format=xml", "_format"),
        ] {
            assert_eq!(asked(refused).unwrap_err().parameter, parameter, "{refused}");
        }
        let many: Vec<_> = vec!["_format=json"; PARAMETERS_MAX + 1];
        assert_eq!(asked(&many.join("&")).unwrap_err().code, IssueCode::TooCostly);
    }

    #[test]
    fn a_version_is_asked_for_by_its_beginning_or_by_the_time_that_it_stood() {
        let day = |n: i64| Timestamp(n * 86_400_000_000);
        let query = |since: Option<i64>, at: Option<(i64, i64)>| HistoryQuery {
            since: since.map(day),
            at: at.map(|(from, until)| DateRange { from: day(from), until: day(until) }),
            count: None,
        };
        // Made on day 10, followed on day 20; or on day 10 and never followed.
        for (since, at, followed, unfollowed) in [
            (None, None, true, true),
            (Some(10), None, true, true),
            (Some(11), None, false, false),
            (None, Some((5, 10)), false, false),
            (None, Some((5, 11)), true, true),
            (None, Some((12, 13)), true, true),
            (None, Some((19, 25)), true, true),
            (None, Some((20, 25)), false, true),
            (Some(11), Some((12, 13)), false, false),
        ] {
            let query = query(since, at);
            assert_eq!(query.takes(day(10), Some(day(20))), followed, "{query:?}");
            assert_eq!(query.takes(day(10), None), unfollowed, "{query:?}");
        }
        assert!(!query(None, Some((9, 11))).takes(day(10), Some(day(10))), "stood for no moment");
    }
}
