//! Huffman's codes as zlib makes them: which of several best codes, and how codes that come out
//! too long are made shorter, is the encoder's choice, and all of zlib's descendants choose alike.

/// The longest code of literals and distances, and that of lengths of codes.
pub(crate) const MAX_BITS: usize = 15;
pub(crate) const MAX_LENGTH_BITS: usize = 7;

/// The most symbols of a tree, and its nodes.
const SYMBOLS: usize = 286;
const NODES: usize = 2 * SYMBOLS + 1;

/// The codes of an alphabet of up to `N` symbols.
#[derive(Clone, Debug)]
pub(crate) struct Codes<const N: usize> {
    /// How many bits each symbol has; 0 for one that does not occur.
    pub(crate) lengths: [u8; N],
    /// Its bits, the first of them lowest.
    pub(crate) codes: [u16; N],
    /// The last symbol that has a code.
    pub(crate) last: usize,
}

impl<const N: usize> Codes<N> {
    /// The codes that zlib gives symbols that occur as often as `counts` says.
    pub(crate) fn of(counts: &[u32; N], longest: usize) -> Self {
        let mut tree = Tree::new(counts);
        let last = tree.last;
        let mut lengths = [0; N];
        tree.lengths(longest, &mut lengths);
        Self { codes: canonical(&lengths), lengths, last }
    }

    /// The codes of these lengths.
    pub(crate) fn with_lengths(lengths: [u8; N]) -> Self {
        Self { codes: canonical(&lengths), lengths, last: N - 1 }
    }

    /// Those of the first `M` symbols only.
    pub(crate) fn first<const M: usize>(&self) -> Codes<M> {
        Codes {
            lengths: std::array::from_fn(|at| self.lengths[at]),
            codes: std::array::from_fn(|at| self.codes[at]),
            last: M - 1,
        }
    }

    /// The sum of all that `counts` counts, in bits.
    pub(crate) fn bits(&self, counts: &[u32; N]) -> u64 {
        self.lengths.iter().zip(counts).map(|(length, count)| u64::from(*length) * u64::from(*count)).sum()
    }
}

/// Numbers codes by their lengths (RFC 1951, section 3.2.2), and turns them around.
fn canonical<const N: usize>(lengths: &[u8; N]) -> [u16; N] {
    let mut next = [0u16; MAX_BITS + 2];
    for length in lengths.iter().filter(|length| **length > 0) {
        next[usize::from(*length) + 1] += 1;
    }
    for bits in 1..next.len() {
        next[bits] = next[bits].wrapping_add(next[bits - 1]) << 1;
    }
    let mut codes = [0; N];
    for (code, length) in codes.iter_mut().zip(lengths).filter(|(_, length)| **length > 0) {
        *code = next[usize::from(*length)].reverse_bits() >> (16 - length);
        next[usize::from(*length)] += 1;
    }
    codes
}

/// A tree that grows out of a heap of its nodes.
struct Tree {
    counts: [u32; NODES],
    depths: [u8; NODES],
    parents: [u16; NODES],
    /// From 1 on the heap, and from the end on what was taken from it.
    heap: [u16; NODES],
    heap_len: usize,
    /// The last leaf.
    last: usize,
    /// Where those begin that were taken.
    taken: usize,
}

impl Tree {
    fn new<const N: usize>(counts: &[u32; N]) -> Self {
        let mut tree = Self {
            counts: [0; NODES],
            depths: [0; NODES],
            parents: [0; NODES],
            heap: [0; NODES],
            heap_len: 0,
            last: 0,
            taken: NODES,
        };
        tree.counts[..N].copy_from_slice(counts);
        for symbol in (0..N).filter(|symbol| counts[*symbol] > 0) {
            tree.push(symbol);
            tree.last = symbol;
        }
        // A tree has two leaves at least: there are inflaters that want them.
        let mut next = if tree.heap_len == 0 { 0 } else { tree.last + 1 };
        while tree.heap_len < 2 {
            let symbol = if next <= 2 { next } else { 0 };
            next += 1;
            tree.counts[symbol] = 1;
            tree.push(symbol);
            tree.last = tree.last.max(symbol);
        }
        tree.grow(N);
        tree
    }

    fn push(&mut self, symbol: usize) {
        self.heap_len += 1;
        self.heap[self.heap_len] = symbol as u16;
    }

    /// Joins the two rarest, again and again. Nodes from `node` on are inner ones.
    fn grow(&mut self, mut node: usize) {
        for at in (1..=self.heap_len / 2).rev() {
            self.sink(at);
        }
        loop {
            let rarest = self.heap[1];
            self.heap[1] = self.heap[self.heap_len];
            self.heap_len -= 1;
            self.sink(1);
            let next = self.heap[1];
            self.take(rarest);
            self.take(next);
            let (one, other) = (usize::from(rarest), usize::from(next));
            self.counts[node] = self.counts[one].wrapping_add(self.counts[other]);
            self.depths[node] = self.depths[one].max(self.depths[other]) + 1;
            (self.parents[one], self.parents[other]) = (node as u16, node as u16);
            self.heap[1] = node as u16;
            node += 1;
            self.sink(1);
            if self.heap_len < 2 {
                break;
            }
        }
        self.take(self.heap[1]);
    }

    fn take(&mut self, node: u16) {
        self.taken -= 1;
        self.heap[self.taken] = node;
    }

    /// Whether `one` comes before `other`: it is rarer, or as rare and no deeper.
    fn is_before(&self, one: u16, other: u16) -> bool {
        let key = |node: u16| (self.counts[usize::from(node)], self.depths[usize::from(node)]);
        key(one) <= key(other)
    }

    /// Puts the node at `at` of the heap where it belongs beneath.
    fn sink(&mut self, mut at: usize) {
        let node = self.heap[at];
        let mut child = 2 * at;
        while child <= self.heap_len {
            if child < self.heap_len && self.is_before(self.heap[child + 1], self.heap[child]) {
                child += 1;
            }
            if self.is_before(node, self.heap[child]) {
                break;
            }
            self.heap[at] = self.heap[child];
            at = child;
            child *= 2;
        }
        self.heap[at] = node;
    }

    /// How many bits each leaf has, `longest` at most.
    fn lengths<const N: usize>(&mut self, longest: usize, lengths: &mut [u8; N]) {
        let mut bits = [0u8; NODES];
        let mut counts = [0u16; MAX_BITS + 2];
        let mut too_long = 0i32;
        // The root was taken last, and everyone's parent before it.
        for node in self.heap[self.taken + 1..].iter().map(|node| usize::from(*node)) {
            let mut own = bits[usize::from(self.parents[node])] + 1;
            if usize::from(own) > longest {
                own = longest as u8;
                too_long += 1;
            }
            bits[node] = own;
            if node <= self.last {
                counts[usize::from(own)] += 1;
            }
        }
        if too_long > 0 {
            while too_long > 0 {
                let mut shorter = longest - 1;
                while counts[shorter] == 0 {
                    shorter -= 1;
                }
                // One leaf goes down, with one of those too long as its brother.
                counts[shorter] -= 1;
                counts[shorter + 1] += 2;
                counts[longest] -= 1;
                too_long -= 2;
            }
            // The rarest get the longest codes.
            let mut leaves =
                self.heap[self.taken..].iter().rev().map(|node| usize::from(*node)).filter(|node| *node <= self.last);
            for length in (1..=longest).rev() {
                for leaf in leaves.by_ref().take(usize::from(counts[length])) {
                    bits[leaf] = length as u8;
                }
            }
        }
        lengths.copy_from_slice(&bits[..N]);
    }
}
