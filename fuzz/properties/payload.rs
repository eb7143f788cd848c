//! What holds for any bytes that are taken for a frame of a payload. The fuzz target and
//! the test that replays its corpus both come here.

use gosync_payloads::frames::FrameDecoder;

/// A frame makes as many bytes as it should, or none. The first bytes tell how many those
/// are and how long what comes before the frame is, the dictionary included.
pub(crate) fn frame(data: &[u8]) {
    let Some((&[len_low, len_high, prefix_low, prefix_high], rest)) = data.split_first_chunk() else { return };
    let len = usize::from(u16::from_le_bytes([len_low, len_high])) + 1;
    let prefix = u16::from_le_bytes([prefix_low, prefix_high]).into();
    let (prefix, frame) = rest.split_at(rest.len().min(prefix));
    let mut decoder = FrameDecoder::default();
    if let Ok(plain) = decoder.decode(prefix, frame, len) {
        assert_eq!(plain.len(), len);
        let plain = plain.to_vec();
        // What was decoded before makes no difference.
        assert_eq!(decoder.decode(prefix, frame, len).expect("it could be decoded once"), plain);
    }
}
