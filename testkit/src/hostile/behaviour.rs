//! The ways of servers that are not as they should be.

use std::sync::atomic::{AtomicUsize, Ordering};

use gosync_chunks::ByteRange;

use super::scripted::{Asked, Say, Scripted};

/// How a server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// As it should: one range, several, all.
    Proper,
    /// 200 and the whole file, whatever is asked for.
    WholeAlways,
    /// The same in chunks, without a length.
    Chunked,
    /// A status such as `"501 Not Implemented"` where several ranges are asked for.
    RefusesSeveral(&'static str),
    /// A status where any range is asked for.
    RefusesRanges(&'static str),
    /// Something else where more than so many ranges are asked for.
    TakesFew {
        /// The most that it takes.
        most: usize,
        /// What it does with more.
        otherwise: Otherwise,
    },
    /// 206 with the first of several ranges, and nothing is said of the others.
    FirstRangeOnly,
    /// No part of an answer but every other one.
    LeavesOut,
    /// The last part comes first.
    PartsReversed,
    /// What lies between two ranges is sent too, in a part for both.
    PartsMerged,
    /// One part for all that was asked for, as a single range.
    OnePart,
    /// The bytes before those that were asked for.
    WrongRange,
    /// Another length of the file in every other answer.
    WrongTotal,
    /// So often an answer ends too soon, by the length of a range, and the connection with it.
    Truncated {
        /// Answers that are not complete.
        times: usize,
    },
    /// So often the connection is reset in the middle of an answer.
    Reset {
        /// Bytes that come before.
        after: usize,
        /// Answers that are not complete.
        times: usize,
    },
    /// 503, or 429, for so many requests.
    Busy {
        /// The status.
        status: &'static str,
        /// Seconds for `Retry-After`.
        retry_after: Option<u32>,
        /// Requests that are not answered.
        times: usize,
    },
    /// A body that never ends and hardly moves.
    Dribbles,
    /// A redirect to itself.
    RedirectLoop,
    /// A redirect to a URL that is good for so many requests.
    ExpiringRedirects {
        /// Requests before a URL expires.
        uses: usize,
        /// What is said after that, such as `"403 Forbidden"`.
        status: &'static str,
    },
    /// Another file with another tag, of the same length, after so many requests.
    Changes {
        /// Requests that are answered from the first file.
        after: usize,
    },
    /// A wrong byte at an offset, in the first answer that has it.
    CorruptOnce(usize),
    /// A wrong byte at an offset, always.
    CorruptAlways(usize),
    /// More bytes than the head promises.
    TooLong,
}

/// What a server does that is asked for more ranges than it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// It sends the whole file.
    Whole,
    /// It sends as many as it takes.
    First,
    /// It answers with a status such as `"416 Range Not Satisfiable"`.
    Status(&'static str),
    /// It resets the connection.
    Reset,
    /// It never answers.
    Silence,
}

/// A server of some bytes at `/file`. It ends when this is dropped.
#[derive(Debug)]
pub struct Hostile(Scripted);

impl Hostile {
    /// Serves `data`.
    ///
    /// # Panics
    ///
    /// When this machine has no free port.
    pub fn start(data: Vec<u8>, behaviour: Behaviour) -> Self {
        let state = State { behaviour, data, used: AtomicUsize::new(0) };
        Self(Scripted::start(move |asked| state.say(asked)))
    }

    /// The URL of the file.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.0.asked()
    }
}

struct State {
    behaviour: Behaviour,
    data: Vec<u8>,
    /// How often what happens a few times has happened.
    used: AtomicUsize,
}

const TAG: &str = "ETag: \"one\"\r\n";

impl State {
    fn say(&self, asked: &Asked) -> Say {
        let data = &self.data;
        let proper = || Say::proper_with(asked, data, TAG);
        let ranges = asked.ranges_of(data.len());
        let ranges = ranges.as_slice();
        let status = |status: &str, headers: &str| Say::plain(status, headers, b"no\n");
        match self.behaviour {
            // Those that are about ranges are good at everything else.
            Behaviour::RefusesSeveral(refusal) if ranges.len() > 1 => status(refusal, ""),
            Behaviour::RefusesRanges(refusal) if !ranges.is_empty() => status(refusal, ""),
            Behaviour::TakesFew { most, otherwise } if ranges.len() > most => match otherwise {
                Otherwise::Whole => {
                    let all = Asked { ranges: Vec::new(), ..asked.clone() };
                    Say::proper_with(&all, data, "Accept-Ranges: bytes\r\n")
                }
                Otherwise::First if most == 1 => Say::part(ranges[0], data, TAG),
                Otherwise::First => Say::parts(&ranges[..most], data, TAG),
                Otherwise::Status(refusal) => status(refusal, ""),
                Otherwise::Reset => Say::nothing().and_reset_after(0),
                Otherwise::Silence => Say::nothing().and_wait(),
            },
            Behaviour::FirstRangeOnly if ranges.len() > 1 => Say::part(ranges[0], data, TAG),
            Behaviour::LeavesOut if ranges.len() > 1 => {
                let some: Vec<_> = ranges.iter().copied().step_by(2).collect();
                Say::parts(&some, data, TAG)
            }
            Behaviour::PartsReversed if ranges.len() > 1 => {
                let reversed: Vec<_> = ranges.iter().copied().rev().collect();
                Say::parts(&reversed, data, TAG)
            }
            Behaviour::PartsMerged if ranges.len() > 1 => {
                let merged: Vec<_> = ranges.chunks(2).map(span).collect();
                Say::parts(&merged, data, TAG)
            }
            Behaviour::OnePart if ranges.len() > 1 => Say::part(span(ranges), data, TAG),
            Behaviour::WrongRange if !ranges.is_empty() => {
                let wrong = |range: &ByteRange| ByteRange { start: range.start.saturating_sub(1), end: range.end - 1 };
                let wrong: Vec<_> = ranges.iter().map(wrong).collect();
                if let [range] = wrong[..] { Say::part(range, data, TAG) } else { Say::parts(&wrong, data, TAG) }
            }
            Behaviour::WrongTotal if asked.number % 2 == 1 => {
                let total = format!("/{}\r\n", data.len());
                proper().replace(&total, &total.replace(['0', '1'], "2"))
            }
            Behaviour::WholeAlways => Say::proper_with(&Asked { ranges: Vec::new(), ..asked.clone() }, data, TAG),
            Behaviour::Chunked if asked.method == "HEAD" => Say::raw("200 OK", "Transfer-Encoding: chunked\r\n", b""),
            Behaviour::Chunked => Say::chunked("200 OK", "", data),
            Behaviour::Truncated { times } if self.happens(times) => {
                proper().cut(ranges.first().map_or(1, |range| range.len() as usize))
            }
            Behaviour::Reset { after, times } if self.happens(times) => proper().and_reset_after(after),
            Behaviour::Busy { status: busy, retry_after, times } if self.happens(times) => {
                let header = retry_after.map_or(String::new(), |seconds| format!("Retry-After: {seconds}\r\n"));
                status(busy, &header)
            }
            Behaviour::Dribbles => {
                let first = ranges.first().copied().unwrap_or(ByteRange::at(0, data.len() as u64));
                let (start, last, total) = (first.start, first.end - 1, data.len());
                let range = format!("Content-Range: bytes {start}-{last}/{total}\r\nTransfer-Encoding: chunked\r\n");
                Say::raw("206 Partial Content", &range, b"fffffff\r\n").and_dribble()
            }
            Behaviour::RedirectLoop => status("302 Found", "Location: /file\r\n"),
            Behaviour::ExpiringRedirects { uses, status: expired } => {
                let used = self.used.load(Ordering::SeqCst);
                let current = format!("/signed?until={}", used / uses);
                match asked.path.as_str() {
                    "/file" => status("302 Found", &format!("Location: {current}\r\n")),
                    path if path == current => {
                        self.used.fetch_add(1, Ordering::SeqCst);
                        proper()
                    }
                    _ => status(expired, ""),
                }
            }
            Behaviour::Changes { after } if asked.number >= after => {
                let changed: Vec<u8> = data.iter().map(|byte| !byte).collect();
                // As RFC 9110 wants it: a range of another state is not sent.
                let whole = Asked { ranges: Vec::new(), ..asked.clone() };
                let asked = if asked.header("if-range").is_some() { &whole } else { asked };
                Say::proper_with(asked, &changed, "ETag: \"two\"\r\n")
            }
            Behaviour::CorruptOnce(offset) | Behaviour::CorruptAlways(offset) => {
                let has =
                    ranges.is_empty() || ranges.iter().any(|range| range.contains(ByteRange::at(offset as u64, 1)));
                let times = if let Behaviour::CorruptOnce(_) = self.behaviour { 1 } else { usize::MAX };
                if !has || !self.happens(times) {
                    return proper();
                }
                let mut corrupt = data.clone();
                corrupt[offset] = !corrupt[offset];
                Say::proper_with(asked, &corrupt, TAG)
            }
            Behaviour::TooLong => proper().then_say(&[b'x'; 5000]),
            _ => proper(),
        }
    }

    /// Whether it is still one of the first `times`.
    fn happens(&self, times: usize) -> bool {
        self.used.fetch_add(1, Ordering::SeqCst) < times
    }
}

fn span(ranges: &[ByteRange]) -> ByteRange {
    let ends = || ranges.iter().map(|range| range.end);
    ByteRange { start: ranges.iter().map(|range| range.start).min().unwrap_or(0), end: ends().max().unwrap_or(0) }
}
