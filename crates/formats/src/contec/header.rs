//! The first 43 bytes: case, time, name, sex, age, weight.

use precordia_model::{Phi, Sex, UnmappedField};

use crate::unmapped;

pub(super) const BYTES: usize = 43;

#[derive(Debug)]
pub(super) struct Header {
    pub case: Option<Phi<String>>,
    pub time: String,
    pub name: Option<Phi<String>>,
    pub sex: Option<Sex>,
    pub age_years: Option<u16>,
    pub other: Vec<UnmappedField>,
}

/// A case in characters, two zeros, `YYYY-MM-DD hh:mm:ss` and three zeros: nothing else begins so.
pub(super) fn knows(bytes: &[u8]) -> bool {
    const TIME: &[u8] = b"0000-00-00 00:00:00\0\0\0";
    let Some((case, time)) = bytes.get(..32).map(|head| head.split_at(10)) else { return false };
    let (name, zeros) = case.split_at(case.iter().position(|&byte| byte == 0).unwrap_or(10));
    let is_like = |(&byte, &pattern): (&u8, &u8)| match pattern {
        b'0' => byte.is_ascii_digit(),
        pattern => byte == pattern,
    };
    !name.is_empty()
        && name.iter().all(u8::is_ascii_graphic)
        && zeros.len() >= 2
        && zeros.iter().all(|&byte| byte == 0)
        && time.iter().zip(TIME).all(is_like)
}

pub(super) fn read(bytes: &[u8; BYTES]) -> Header {
    let text = |from: usize, to: usize| {
        let field = bytes[from..to].split(|&byte| byte == 0).next().unwrap_or_default();
        let text = String::from_utf8_lossy(field).trim().to_owned();
        (!text.is_empty()).then_some(text)
    };
    let [.., sex, age, weight] = *bytes;
    let mut other = Vec::new();
    if weight != 0 {
        unmapped::keep(&mut other, "header, weight", &weight.to_string());
    }
    let sex = match sex {
        0 => Some(Sex::Female),
        1 => Some(Sex::Male),
        255 => None,
        number => {
            unmapped::keep(&mut other, "header, sex", &number.to_string());
            Some(Sex::Unknown)
        }
    };
    Header {
        case: text(0, 8).map(Phi::new),
        time: text(10, 30).unwrap_or_default(),
        name: text(32, 40).map(Phi::new),
        sex,
        age_years: (age != 0).then_some(u16::from(age)),
        other,
    }
}
