//! Time-stamped annotation lists. EDF+ 2.2.2: `+onset[\x15duration]\x14text\x14...\x14\0`.

/// Lists of one record: when it begins, and what was annotated.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lists {
    /// EDF+ 2.2.4: the first list of a record, whose first text is empty, says its onset.
    pub record_onset_s: Option<f64>,
    pub annotations: Vec<Annotation>,
    /// Bytes that are no list were passed over.
    pub damaged: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Annotation {
    pub onset_s: f64,
    pub duration_s: Option<f64>,
    pub text: String,
}

pub(crate) fn read(bytes: &[u8]) -> Lists {
    let mut lists = Lists::default();
    for (index, list) in bytes.split(|&byte| byte == 0).filter(|list| !list.is_empty()).enumerate()
    {
        let mut fields = list.split(|&byte| byte == 0x14);
        let Some((onset_s, duration_s)) = fields.next().and_then(stamp) else {
            lists.damaged = true;
            continue;
        };
        // The mark after the last text is not the start of another.
        let texts: Vec<&[u8]> = fields.collect();
        let Some((last, texts)) = texts.split_last() else {
            lists.damaged = true;
            continue;
        };
        lists.damaged |= !last.is_empty();
        if index == 0 && texts.first().is_some_and(|text| text.is_empty()) {
            lists.record_onset_s = Some(onset_s);
        }
        for text in texts.iter().filter(|text| !text.is_empty()) {
            let text = String::from_utf8_lossy(text).into_owned();
            lists.annotations.push(Annotation { onset_s, duration_s, text });
        }
    }
    lists
}

fn stamp(field: &[u8]) -> Option<(f64, Option<f64>)> {
    let text = std::str::from_utf8(field).ok()?;
    let (onset, duration) = match text.split_once('\u{15}') {
        Some((onset, duration)) => (onset, Some(duration)),
        None => (text, None),
    };
    if !onset.starts_with(['+', '-']) {
        return None;
    }
    let onset = number(&onset[1..]).map(|s| if onset.starts_with('-') { -s } else { s })?;
    match duration.filter(|text| !text.is_empty()) {
        Some(duration) => Some((onset, Some(number(duration)?))),
        None => Some((onset, None)),
    }
}

fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_damage_is_told() {
        let bytes = b"+12.5\x14\x14\0+13\x1525.5\x14Apnea\x14also\x14\0\0\0";
        let lists = read(bytes);
        assert_eq!((lists.record_onset_s, lists.damaged), (Some(12.5), false));
        let texts: Vec<&str> = lists.annotations.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(texts, ["Apnea", "also"]);
        assert_eq!(
            (lists.annotations[0].onset_s, lists.annotations[0].duration_s),
            (13.0, Some(25.5))
        );
        assert_eq!(read(b"-0.5\x14before\x14\0").annotations[0].onset_s, -0.5);
        for bytes in [&b"12\x14a\x14"[..], b"+x\x14a\x14", b"+1", b"+1\x14a", b"\xFF\x14"] {
            assert!(read(bytes).damaged, "{bytes:?}");
        }
    }
}
