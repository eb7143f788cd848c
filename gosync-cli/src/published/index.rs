//! What is to be said of an index of gosync's own format or go-sync's.

use gosync::pointer::{Pointer, date};
use gosync::signing::Signed;
use gosync::{FrameKind, IndexInfo, PayloadInfo};
use gosync_tree::TreeInfo;
use gosync_unpack::PackedInfo;
use serde_json::{Value, json};

use super::packed;
use crate::directory::build::packed_event;
use crate::directory::outcome::joined;
use crate::table::{Facts, counted};
use crate::text::{grouped, percent, size};

const FRAMES: [(&str, FrameKind); 2] = [("fine", FrameKind::Fine), ("coarse", FrameKind::Coarse)];

/// What the index says of its target, where that is no plain file.
pub(super) struct Contents<'a> {
    pub(super) tree: Option<&'a TreeInfo>,
    pub(super) packed: Option<&'a PackedInfo>,
}

/// What is in the index, for people and for programs.
pub(super) fn describe(
    info: &IndexInfo,
    contents: &Contents<'_>,
    signed: Option<&Signed>,
    pointer: Option<&Pointer>,
) -> (Facts, Value) {
    let event = event(info, contents, signed, pointer);
    let packed = contents.packed.map_or(json!({}), packed::event);
    (facts(info, contents, signed, pointer), joined(event, packed))
}

fn facts(info: &IndexInfo, contents: &Contents<'_>, signed: Option<&Signed>, pointer: Option<&Pointer>) -> Facts {
    let mut facts = Facts::default();
    if let Some(pointer) = pointer {
        let Pointer { name, serial, published_at, expires_at, .. } = pointer;
        let expires = expires_at.map_or(String::new(), |at| format!(", expires {}", date::shown(at)));
        facts.add("pointer", format!("version {serial} of {name}, published {}{expires}", date::shown(*published_at)));
        facts.add("points to", pointer.index.as_str());
    }
    facts.add("format", format!("{}, version {}", info.format, info.version));
    facts.add("target", info.target_name.as_ref().map_or("(not named)", |name| name.as_str()));
    if let Some(packed) = contents.packed {
        packed::add_facts(&mut facts, packed);
    }
    let length = if contents.packed.is_some() { "opened" } else { "length" };
    facts.add(length, format!("{} bytes ({})", grouped(info.length), size(info.length)));
    if let Some(tree) = contents.tree {
        let (files, entries) = (counted(tree.files, "file"), grouped(tree.entries));
        facts.add("directory", format!("{entries} entries, {files} of {} bytes", grouped(tree.bytes)));
        facts.add("listing", format!("{} bytes", grouped(tree.listing_length)));
        if let Some(packed) = &tree.packed {
            let (files, bytes) = (counted(packed.files, "file"), grouped(packed.bytes));
            let opened = grouped(packed.opened_bytes);
            facts.add("packed files", format!("{files} of {bytes} bytes, opened to {opened}"));
            facts.add("recipes", format!("{} bytes", grouped(packed.recipes_length)));
        }
        let patterns: Vec<&str> = tree.excludes.lines().filter(|line| !line.is_empty()).collect();
        if !patterns.is_empty() {
            facts.add("left out", patterns.join(", "));
        }
    }
    for layer in &info.layers {
        facts.add(
            format!("blocks of {}", grouped(layer.block_size.into())),
            format!("{}, {} of index", grouped(layer.blocks.into()), size(layer.index_bytes)),
        );
    }
    if let Some(odds) = info.odds {
        facts.add("wrong match", format!("1 in 2^{odds}, in seeds of up to twice the length"));
    }
    facts.add("weak sums", format!("{}, {} bytes each", info.weak_sum, info.weak_len));
    facts.add("strong sums", format!("{}, {} bytes each", info.strong_sum, info.strong_len));
    if let Some(PayloadInfo { bytes, layout, preamble_bytes, .. }) = &info.payload {
        let of_target = percent(*bytes, info.length);
        facts.add("payload", format!("{} bytes ({}, {of_target} of the target)", grouped(*bytes), size(*bytes)));
        for (name, kind) in FRAMES {
            let prefix = grouped(*preamble_bytes as u64 + layout.prefix_len(kind));
            let (count, len) = (grouped(layout.frame_count(kind)), grouped(layout.frame_size(kind)));
            let further = match layout.region_len(kind) {
                0 => String::new(),
                region => format!(" and {} further back", grouped(region)),
            };
            let after = format!("{count} of {len} bytes, each after up to {prefix} known ones{further}");
            facts.add(format!("{name} frames"), after);
        }
    }
    let file_hash = info.file_hash.map(|hash| format!("BLAKE3 {hash}"));
    facts.add("whole file", file_hash.unwrap_or("no hash: only the blocks can be verified".into()));
    let index_bytes = info.index_bytes;
    facts.add(
        "index",
        format!(
            "{} bytes ({}, {} of the file)",
            grouped(index_bytes),
            size(index_bytes),
            percent(index_bytes, info.length)
        ),
    );
    if let Some(signed) = signed {
        facts.add("signature", format!("holds, by key {}: {}", signed.key, signed.comment));
    }
    facts
}

fn event(info: &IndexInfo, contents: &Contents<'_>, signed: Option<&Signed>, pointer: Option<&Pointer>) -> Value {
    json!({
        "event": "done",
        "pointer": pointer.map(|pointer| json!({
            "name": pointer.name.as_str(),
            "serial": pointer.serial,
            "published_at": pointer.published_at,
            "expires_at": pointer.expires_at,
            "index": pointer.index.as_str(),
        })),
        "format": info.format.to_string(),
        "version": info.version,
        "target": info.target_name.as_ref().map(|name| name.as_str()),
        "target_bytes": info.length,
        "directory": contents.tree.map(|tree| json!({
            "entries": tree.entries,
            "files": tree.files,
            "bytes": tree.bytes,
            "listing_bytes": tree.listing_length,
            "excludes": tree.excludes,
            "packed": tree.packed.as_ref().map(packed_event),
        })),
        "layers": info.layers.iter().map(|layer| json!({
            "block_size": layer.block_size,
            "blocks": layer.blocks,
            "index_bytes": layer.index_bytes,
        })).collect::<Vec<_>>(),
        "odds": info.odds,
        "payload": info.payload.as_ref().map(|payload| json!({
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
        "weak_sum": info.weak_sum,
        "weak_len": info.weak_len,
        "strong_sum": info.strong_sum,
        "strong_len": info.strong_len,
        "blake3": info.file_hash.map(|hash| hash.to_string()),
        "index_bytes": info.index_bytes,
        "signed_by": signed.map(|signed| signed.key.to_string()),
        "trusted_comment": signed.map(|signed| signed.comment.as_str()),
    })
}
