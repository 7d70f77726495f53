//! The row of blocks: identifier, length, data, checksum, all little-endian.

use precordia_model::{Refusal, RefusalReason};

pub(super) const SIGNATURE: &[u8] = b"ALIVE\0\0\0";

#[derive(Debug)]
pub(super) struct Block<'a> {
    pub id: [u8; 4],
    pub data: &'a [u8],
    pub at: usize,
    pub checksum: Checksum,
}

/// The specification says "CRC32" in one place and "cyclic sum" in another. Files hold the sum of
/// the bytes from identifier to data; one writer takes its bytes as signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checksum {
    Right,
    RightOfSignedBytes,
    Wrong,
}

#[derive(Debug)]
pub(super) struct File<'a> {
    pub version: u32,
    pub blocks: Vec<Block<'a>>,
    /// Bytes after the last block, too few to be one.
    pub trailing: usize,
}

impl<'a> Block<'a> {
    /// The identifier as it reads, without padding.
    pub(super) fn name(&self) -> String {
        String::from_utf8_lossy(&self.id).trim_end().to_owned()
    }

    pub(super) fn place(&self) -> String {
        format!("block {} at byte {}", self.name().escape_default(), self.at)
    }
}

pub(super) fn blocks(bytes: &[u8]) -> Result<File<'_>, Refusal> {
    let Some((version, mut rest)) =
        bytes.strip_prefix(SIGNATURE).and_then(<[u8]>::split_first_chunk::<4>)
    else {
        return Err(truncated(0, "the file ends within its signature"));
    };
    let mut blocks = Vec::new();
    while let Some((id, after)) = rest.split_first_chunk::<4>()
        && let Some((length, body)) = after.split_first_chunk::<4>()
    {
        let at = bytes.len() - rest.len();
        let length = u32::from_le_bytes(*length);
        let split = usize::try_from(length).ok().and_then(|length| body.split_at_checked(length));
        let Some((data, (declared, next))) =
            split.and_then(|(data, tail)| Some((data, tail.split_first_chunk::<4>()?)))
        else {
            let text = format!(
                "a block declares {length} bytes and a checksum, and {} bytes are left",
                body.len()
            );
            return Err(truncated(at, &text));
        };
        let checksum = checksum(&rest[..8 + data.len()], u32::from_le_bytes(*declared));
        blocks.push(Block { id: *id, data, at, checksum });
        rest = next;
    }
    Ok(File { version: u32::from_le_bytes(*version), blocks, trailing: rest.len() })
}

fn checksum(covered: &[u8], declared: u32) -> Checksum {
    let unsigned = covered.iter().fold(0_u32, |sum, &byte| sum.wrapping_add(u32::from(byte)));
    // A signed byte is 256 less where its highest bit is set.
    let negative = covered.iter().filter(|&&byte| byte > 127).count() as u32;
    if declared == unsigned {
        Checksum::Right
    } else if declared == unsigned.wrapping_sub(negative.wrapping_mul(256)) {
        Checksum::RightOfSignedBytes
    } else {
        Checksum::Wrong
    }
}

fn truncated(at: usize, text: &str) -> Refusal {
    Refusal::new(RefusalReason::Truncated, "file_truncated", format!("byte {at}"), text)
        .hint("the file may still have been on its way; try again when its size is stable")
}
