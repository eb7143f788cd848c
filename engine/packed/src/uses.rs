//! What a recipe uses its encoders for, and how long that will take.

use std::time::Duration;

use crate::encoder::fingerprint::{CORPUS_LEN, time};
use crate::encoder::settings::Encoder;
use crate::recipe::{Recipe, Stream};

/// What a recipe uses one encoder for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// The encoder; `None` where it is not known here.
    pub encoder: Option<Encoder>,
    /// How many streams it makes, those in other streams included.
    pub streams: u64,
    /// How many bytes it makes them of.
    pub plain_bytes: u64,
    /// How many bytes of the recipe correct it.
    pub correction_bytes: u64,
}

impl Recipe {
    /// What each encoder is used for, in the order of the recipe.
    pub fn uses(&self) -> Vec<Use> {
        let mut uses: Vec<Use> = self.encoders().map(|encoder| Use { encoder, ..Use::default() }).collect();
        add(self.streams(), &mut uses);
        uses
    }

    /// How long closing will take; see [`closing_time`].
    pub fn closing_time(&self, threads: usize) -> Duration {
        closing_time([self], threads)
    }
}

/// How long closing `recipes` one after another will take on so many `threads` of this machine, which
/// encodes a little with each encoder to find that out. Streams that cannot be made here take no time.
pub fn closing_time<'r>(recipes: impl IntoIterator<Item = &'r Recipe>, threads: usize) -> Duration {
    let mut known: Vec<(Encoder, f64)> = Vec::new();
    let mut rate = |encoder: Encoder| match known.iter().find(|(other, _)| *other == encoder) {
        Some((_, rate)) => *rate,
        None => {
            let rate = seconds_of_byte(encoder);
            known.push((encoder, rate));
            rate
        }
    };
    let each = recipes.into_iter().map(|recipe| {
        let rates: Vec<f64> = recipe.encoders().map(|encoder| encoder.map_or(0.0, &mut rate)).collect();
        let streams = recipe.streams().iter().filter(|stream| recipe.is_known(stream));
        // One stream is made by one thread.
        let (sum, longest) = streams
            .map(|stream| seconds(stream, &rates))
            .fold((0.0, 0.0), |(sum, longest): (f64, f64), next| (sum + next, longest.max(next)));
        longest.max(sum / threads.max(1) as f64)
    });
    Duration::from_secs_f64(each.sum())
}

fn add(streams: &[Stream], uses: &mut [Use]) {
    for stream in streams {
        let of = &mut uses[stream.encoder];
        of.streams += 1;
        of.plain_bytes += stream.plain;
        of.correction_bytes += stream.corrections() as u64;
        add(&stream.inner, uses);
    }
}

fn seconds(stream: &Stream, rates: &[f64]) -> f64 {
    stream.plain as f64 * rates[stream.encoder] + stream.inner.iter().map(|inner| seconds(inner, rates)).sum::<f64>()
}

fn seconds_of_byte(encoder: Encoder) -> f64 {
    // The first time is longer than others.
    let best = (0..3).map(|_| time(encoder)).min().unwrap_or_default();
    best.as_secs_f64() / CORPUS_LEN as f64
}
