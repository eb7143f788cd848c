//! `gosync inspect`.

use std::fs;
use std::process::ExitCode;

use gosync::payload::FrameKind;
use gosync::{Index, PayloadInfo, Signed};
use serde_json::{Value, json};

use super::{open, open_control, source_options, zsync};
use crate::args;
use crate::console::Console;
use crate::failure::Usage;
use crate::table::{Facts, grouped, percent, size};

const FRAMES: [(&str, FrameKind); 2] = [("fine", FrameKind::Fine), ("coarse", FrameKind::Coarse)];

pub(crate) fn run(args: &args::Inspect, console: &Console) -> anyhow::Result<ExitCode> {
    let options = source_options(&args.network, console)?;
    let (opened, signed) = match open(&args.index, &args.trust, &options, console) {
        Ok(opened) => opened,
        Err(error) => {
            let opened = open_control(&args.index, error, &args.trust, &options)?;
            if args.signed_part.is_some() {
                let message = format!("{} is a control file of zsync, which has no header to sign", args.index);
                return Err(Usage { message, hint: "leave out --signed-part" }.into());
            }
            return zsync::inspect(&opened, console);
        }
    };
    let index = &opened.index;
    if let Some(path) = &args.signed_part {
        let header = index.header_bytes().ok_or_else(|| Usage {
            message: format!("the {} format has no header to sign", index.format()),
            hint: "leave out --signed-part",
        })?;
        fs::write(path, header).map_err(|source| gosync::Error::Write { path: path.clone(), source })?;
    }
    console.data(facts(index, signed.as_ref()))?;
    console.event(&event(index, signed.as_ref()))?;
    Ok(ExitCode::SUCCESS)
}

/// For people.
fn facts(index: &Index, signed: Option<&Signed>) -> Facts {
    let mut facts = Facts::default();
    facts.add("format", format!("{}, version {}", index.format(), index.format_version()));
    facts.add("target", index.target_name().map_or("(not named)", |name| name.as_str()));
    facts.add("length", format!("{} bytes ({})", grouped(index.length()), size(index.length())));
    for layer in index.layers() {
        facts.add(
            format!("blocks of {}", grouped(layer.block_size.into())),
            format!("{}, {} of index", grouped(layer.blocks.into()), size(layer.index_bytes)),
        );
    }
    if let Some(odds) = index.odds() {
        facts.add("wrong match", format!("1 in 2^{odds}, in seeds of up to twice the length"));
    }
    let (weak, strong) = (index.format().weak_sum_name(), index.format().strong_sum_name());
    facts.add("weak sums", format!("{weak}, {} bytes each", index.weak_len()));
    facts.add("strong sums", format!("{strong}, {} bytes each", index.strong_len()));
    if let Some(PayloadInfo { bytes, layout, preamble_bytes }) = index.payload() {
        let of_target = percent(bytes, index.length());
        facts.add("payload", format!("{} bytes ({}, {of_target} of the target)", grouped(bytes), size(bytes)));
        for (name, kind) in FRAMES {
            let prefix = grouped(preamble_bytes as u64 + layout.prefix_len(kind));
            let (count, len) = (grouped(layout.frame_count(kind)), grouped(layout.frame_size(kind)));
            let further = match layout.region_len(kind) {
                0 => String::new(),
                region => format!(" and {} further back", grouped(region)),
            };
            let after = format!("{count} of {len} bytes, each after up to {prefix} known ones{further}");
            facts.add(format!("{name} frames"), after);
        }
    }
    let file_hash = index.file_hash().map(|hash| format!("BLAKE3 {hash}"));
    facts.add("whole file", file_hash.unwrap_or("no hash: only the blocks can be verified".into()));
    let index_bytes = index.encoded_len();
    facts.add(
        "index",
        format!(
            "{} bytes ({}, {} of the file)",
            grouped(index_bytes),
            size(index_bytes),
            percent(index_bytes, index.length())
        ),
    );
    if let Some(signed) = signed {
        facts.add("signature", format!("holds, by key {}: {}", signed.key, signed.comment));
    }
    facts
}

/// For programs.
fn event(index: &Index, signed: Option<&Signed>) -> Value {
    json!({
        "event": "done",
        "format": index.format().to_string(),
        "version": index.format_version(),
        "target": index.target_name().map(|name| name.as_str()),
        "target_bytes": index.length(),
        "layers": index.layers().iter().map(|layer| json!({
            "block_size": layer.block_size,
            "blocks": layer.blocks,
            "index_bytes": layer.index_bytes,
        })).collect::<Vec<_>>(),
        "odds": index.odds(),
        "payload": index.payload().map(|payload| json!({
            "bytes": payload.bytes,
            "preamble_bytes": payload.preamble_bytes,
            "frames": FRAMES.map(|(name, kind)| json!({
                "kind": name,
                "size": payload.layout.frame_size(kind),
                "prefix": payload.layout.prefix_len(kind),
                "region": payload.layout.region_len(kind),
                "count": payload.layout.frame_count(kind),
            })),
        })),
        "weak_sum": index.format().weak_sum_name(),
        "weak_len": index.weak_len(),
        "strong_sum": index.format().strong_sum_name(),
        "strong_len": index.strong_len(),
        "blake3": index.file_hash().map(|hash| hash.to_string()),
        "index_bytes": index.encoded_len(),
        "signed_by": signed.map(|signed| signed.key.to_string()),
        "trusted_comment": signed.map(|signed| signed.comment.as_str()),
    })
}
