//! What holds for any bytes that are read as a control file of zsync.

use gosync_zsync::Control;

/// Reading either fails, or gives what is written and read again without loss.
pub(crate) fn control(data: &[u8]) {
    let Ok(control) = Control::read(data) else { return };
    assert!(Control::is_one(data));
    let layout = control.signature.layout();
    let records = usize::from(control.hash_lengths.weak) + usize::from(control.hash_lengths.strong);
    assert!(layout.block_count() as usize * records <= data.len(), "no more sums than there are bytes");
    // Names and URLs may be longer than other clients take.
    let Ok(written) = control.write() else { return };
    let again = Control::read(&written).expect("just written");
    assert!(again.signature == control.signature);
    assert_eq!(again.digests, control.digests);
    assert_eq!((&again.urls, &again.z_urls), (&control.urls, &control.z_urls));
    assert_eq!(again.write().expect("written before"), written);
}
