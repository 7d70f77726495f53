//! Where the next page begins, as a text that a client only carries. Holds a time and an id, nothing else.

use precordia_model::Timestamp;
use uuid::Uuid;

use crate::error::Failure;

/// `microseconds-id`.
pub(crate) fn encode(at: Timestamp, id: Uuid) -> String {
    format!("{}-{}", at.micros(), id.simple())
}

pub(crate) fn decode(text: &str) -> Result<(Timestamp, Uuid), Failure> {
    parse(text).ok_or_else(|| Failure::invalid("cursor", "it is not one that this server gave"))
}

fn parse(text: &str) -> Option<(Timestamp, Uuid)> {
    let (at, id) = text.split_once('-')?;
    let digits = (1..=16).contains(&at.len()) && at.bytes().all(|b| b.is_ascii_digit());
    let hex =
        id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let at = at.parse().ok().filter(|_| digits)?;
    Some((Timestamp(at), Uuid::parse_str(id).ok().filter(|_| hex)?))
}

/// A place in the access log.
pub(crate) fn position(text: &str) -> Result<i64, Failure> {
    let digits = (1..=18).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_digit())
        && !text.starts_with('0');
    text.parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| Failure::invalid("cursor", "it is not one that this server gave"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_given() {
        let id = Uuid::from_u128(0x0192_f0aa_1111_7000_8000_0000_0000_000a);
        let text = encode(Timestamp(1_700_000_000_000_001), id);
        assert_eq!(parse(&text), Some((Timestamp(1_700_000_000_000_001), id)));
        for other in [
            "",
            "-",
            "1-",
            "+1-0192f0aa111170008000000000000000a",
            "1-0192F0AA11117000800000000000000A",
            "x",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
