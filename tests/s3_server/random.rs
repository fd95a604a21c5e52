//! Reproducible bytes for large objects.

use std::io;

use s3s::crypto::{Checksum as _, Md5};

use super::content::ContentWriter;

/// Writes so many random bytes and returns their MD5.
pub(super) fn write(
    writer: &mut ContentWriter,
    size_bytes: u64,
    seed: u64,
) -> io::Result<[u8; 16]> {
    let mut md5 = Md5::new();
    let mut state = seed;
    let mut chunk = vec![0; 64 << 10];
    for word in chunk.chunks_exact_mut(8) {
        word.copy_from_slice(&split_mix(&mut state).to_le_bytes());
    }
    let mut remaining = size_bytes;
    while remaining > 0 {
        // One new word makes each chunk unlike all others and costs next to nothing.
        chunk[..8].copy_from_slice(&split_mix(&mut state).to_le_bytes());
        let length = usize::try_from(remaining).map_or(chunk.len(), |left| left.min(chunk.len()));
        writer.write(&chunk[..length])?;
        md5.update(&chunk[..length]);
        remaining -= length as u64;
    }
    Ok(md5.finalize())
}

/// The generator `SplitMix64`.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
