//! Base64 (RFC 4648, section 4) as XML formats carry samples in it: line breaks and padding are
//! passed over, and anything else that is not of the alphabet is damage.

/// `None` where a character is none of base64, or where bits are left that make no byte.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count, mut padded) = (0_u32, 0_u32, false);
    for character in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        if character == b'=' {
            padded = true;
            continue;
        }
        if padded {
            return None;
        }
        bits = bits << 6 | sextet(character)?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    // Six bits over are a character too few; those of a last byte are zero.
    (count < 6 && bits == 0).then_some(bytes)
}

fn sextet(character: u8) -> Option<u32> {
    Some(u32::from(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn the_vectors_of_the_standard_are_read_and_damage_is_not() {
        let cases = [
            ("", Some(&b""[..])),
            ("Zg==", Some(b"f")),
            ("Zm8=", Some(b"fo")),
            ("Zm9v", Some(b"foo")),
            (" Zm9v\r\nYmE=\n", Some(b"fooba")),
            ("Zm9vYmFy", Some(b"foobar")),
            ("Zg", Some(b"f")),
            ("Z", None),
            ("Zh==", None),
            ("Zm9*", None),
            ("Zm=v", None),
            ("....", None),
        ];
        for (text, expected) in cases {
            assert_eq!(decode(text).as_deref(), expected, "{text:?}");
        }
    }
}
