//! Words of English.

use crate::Random;

/// A word, the frequent ones first in [`WORDS`], as in languages.
pub(super) fn word(random: &mut Random) -> &'static str {
    let rank = random.below(WORDS.len()) * random.below(WORDS.len()) / WORDS.len();
    WORDS[rank]
}

const WORDS: [&str; 48] = [
    "the",
    "of",
    "and",
    "to",
    "a",
    "in",
    "is",
    "that",
    "for",
    "it",
    "was",
    "on",
    "are",
    "as",
    "with",
    "they",
    "at",
    "be",
    "this",
    "have",
    "from",
    "or",
    "had",
    "by",
    "water",
    "word",
    "river",
    "mountain",
    "window",
    "letter",
    "morning",
    "garden",
    "version",
    "question",
    "measure",
    "harbour",
    "copper",
    "lantern",
    "whether",
    "carefully",
    "distance",
    "orchard",
    "thousand",
    "northern",
    "tomorrow",
    "remember",
    "unlikely",
    "quicksilver",
];
