//! The parameters of a search, decoded strictly: what is not well formed is refused, not repaired, because
//! a repaired question is another question.

use axum::http::StatusCode;

use crate::error::Failure;

/// `name=value&…` (WHATWG URL, application/x-www-form-urlencoded), in the order sent.
pub(crate) fn decode(text: &str) -> Result<Vec<(String, String)>, Failure> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((part(name)?, part(value)?))
        })
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| {
            let detail = "a parameter is not well-formed percent-encoded UTF-8";
            Failure::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
        })
}

fn part(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_or_refused() {
        for (text, expected) in [
            ("", Some(vec![])),
            ("a=1&b=2", Some(vec![("a", "1"), ("b", "2")])),
            ("a=1&&a=1", Some(vec![("a", "1"), ("a", "1")])),
            ("name=M%C3%BCller+x", Some(vec![("name", "Müller x")])),
            ("name", Some(vec![("name", "")])),
            ("a=b=c", Some(vec![("a", "b=c")])),
            ("a=%zz", None),
            ("a=%f", None),
            ("a=%C3", None),
            ("%FF=1", None),
        ] {
            let decoded = decode(text).ok();
            let expected = expected.map(|pairs| {
                pairs.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect::<Vec<_>>()
            });
            assert_eq!(decoded, expected, "{text}");
        }
    }
}
