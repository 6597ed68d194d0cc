//! YAML as written: a tree in which every value keeps its own text and its place.
//!
//! The tree is built from the parser's events, not through serde: plain scalars stay text (`21:00`, `no`, `0123`), every
//! node has its bytes in the file, and comments are known, so that a refusal page can quote a line without them.

mod syntax;

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle};
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

/// The longest file, in bytes. A year of agreements is a hundredth of it.
pub(crate) const MAX_BYTES: usize = 1 << 20;
/// How deep lists and blocks may stand in each other.
const MAX_DEPTH: usize = 16;
/// How many values a file may have, those repeated through aliases included.
const MAX_NODES: usize = 20_000;
/// How much text a file may come to, that repeated through aliases included.
const MAX_TEXT: usize = 1 << 20;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its bytes in the file; for lists and blocks, the byte where they begin.
    pub(crate) span: Range<usize>,
}

/// The three shapes of YAML.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A single value. A value that was left out is an empty one.
    Scalar(String),
    /// A list.
    List(Vec<Node>),
    /// A block of keys and values, in the order of the file; no key stands twice.
    Block(Vec<(Node, Node)>),
}

impl Node {
    /// Where it begins.
    pub(crate) fn at(&self) -> usize {
        self.span.start
    }

    /// The text of a single value.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text) => Some(text),
            Kind::List(_) | Kind::Block(_) => None,
        }
    }

    /// Whether nothing was written.
    pub(crate) fn is_nothing(&self) -> bool {
        self.text().is_some_and(str::is_empty)
    }
}

/// Something wrong with the YAML itself.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The byte where it is.
    pub(crate) at: usize,
    /// The problem's code.
    pub(crate) code: &'static str,
    /// What is wrong.
    pub(crate) sentence: Cow<'static, str>,
    /// What to do.
    pub(crate) help: Cow<'static, str>,
    /// The byte of the other place that the sentence speaks of.
    pub(crate) other: Option<usize>,
}

impl Fault {
    fn new(
        at: usize,
        code: &'static str,
        sentence: impl Into<Cow<'static, str>>,
        help: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { at, code, sentence: sentence.into(), help: help.into(), other: None }
    }
}

/// A file as written.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// Its value; none for an empty file and for one that is no YAML.
    pub(crate) root: Option<Node>,
    /// Where comments stand, in order.
    pub(crate) comments: Vec<Range<usize>>,
    /// What is wrong with it, in the order found.
    pub(crate) faults: Vec<Fault>,
}

/// Reads a text, which the caller has checked for length and for characters that no file has.
pub(crate) fn parse(text: &str) -> Document {
    let mut builder = Builder { text, ..Builder::default() };
    if let Err(fault) = builder.run() {
        builder.done.root = None;
        builder.done.faults.push(fault);
    }
    builder.done
}

/// A file that is too big to be an agreement.
pub(crate) fn too_big(at: usize) -> Fault {
    Fault::new(
        at,
        "too-big",
        "The file is far bigger than any agreement needs.",
        "Check that the right file was saved here, and whether something in it repeats itself.",
    )
}

/// A list or block whose end has not come yet.
struct Open {
    at: usize,
    anchor: usize,
    flow: bool,
    kind: Kind,
    key: Option<Node>,
    /// The block's keys so far and where they stand.
    seen: HashMap<String, usize>,
}

#[derive(Default)]
struct Builder<'t> {
    text: &'t str,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    bytes: usize,
    documents: usize,
    /// The last single value, for messages about what follows it.
    last: Range<usize>,
    /// The end of the last event.
    reached: usize,
    done: Document,
}

impl Builder<'_> {
    fn run(&mut self) -> Result<(), Fault> {
        let options = granit_parser::options! {
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
            max_buffered_comment_events: MAX_NODES,
        };
        for next in Parser::new_from_str_with_options(self.text, options) {
            match next {
                Ok((event, span)) => self.event(event, span.byte_range().unwrap_or_default())?,
                Err(error) => return Err(self.explain(&error)),
            }
        }
        Ok(())
    }

    fn explain(&self, error: &granit_parser::ScanError) -> Fault {
        let floor = |at: usize| self.text.floor_char_boundary(at);
        let place = syntax::Place {
            at: floor(error.marker().byte_offset().unwrap_or(self.reached)),
            reached: floor(self.reached),
            last: floor(self.last.start)..floor(self.last.end),
            flow: self.open.iter().rev().find(|o| o.flow).map(|o| floor(o.at)),
        };
        syntax::explain(self.text, error.kind(), &place)
    }

    fn event(&mut self, event: Event<'_>, span: Range<usize>) -> Result<(), Fault> {
        let tagged = event.tag().is_some();
        if tagged {
            self.fault_tag(span.start);
        }
        match event {
            Event::Comment(..) => self.done.comments.push(span),
            Event::DocumentStart(..) => self.begin_document(span.start)?,
            Event::Scalar(text, style, anchor, _) => self.scalar(&text, style, anchor, span)?,
            Event::SequenceStart(style, anchor, _) => {
                self.begin(Kind::List(Vec::new()), style, anchor, span)?;
            }
            Event::MappingStart(style, anchor, _) => {
                self.begin(Kind::Block(Vec::new()), style, anchor, span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span.end)?,
            Event::Alias(id) => self.alias(id, span)?,
            _ => {}
        }
        Ok(())
    }

    fn begin_document(&mut self, at: usize) -> Result<(), Fault> {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        let help = "Take the line out, or move what follows it into a file of its own.";
        Err(Fault::new(at, "two-documents", "A line of three dashes begins a second document here.", help))
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        span: Range<usize>,
    ) -> Result<(), Fault> {
        // The parser gives a value that was left out as a tilde without bytes; one that was written is YAML's "nothing" too.
        let nothing = style == ScalarStyle::Plain && matches!(text, "~" | "null");
        let text = if nothing { String::new() } else { text.to_owned() };
        self.last = span.clone();
        self.reached = span.end;
        self.place(Node { kind: Kind::Scalar(text), span }, anchor, 1)
    }

    fn begin(
        &mut self,
        kind: Kind,
        style: StructureStyle,
        anchor: usize,
        span: Range<usize>,
    ) -> Result<(), Fault> {
        if self.open.len() >= MAX_DEPTH {
            return Err(syntax::too_deep(span.start));
        }
        self.reached = self.reached.max(span.end);
        let flow = style == StructureStyle::Flow;
        self.open.push(Open { at: span.start, anchor, flow, kind, key: None, seen: HashMap::new() });
        Ok(())
    }

    fn end(&mut self, reached: usize) -> Result<(), Fault> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        self.reached = self.reached.max(reached);
        let node = Node { kind: open.kind, span: open.at..open.at };
        self.place(node, open.anchor, 1)
    }

    fn alias(&mut self, id: usize, span: Range<usize>) -> Result<(), Fault> {
        self.reached = span.end;
        let Some((node, depth)) = self.anchors.get(&id) else {
            let help = "Write the value out instead.";
            return Err(Fault::new(span.start, "alias-loop", "This repeats a block inside itself.", help));
        };
        if self.open.len() + depth > MAX_DEPTH {
            return Err(syntax::too_deep(span.start));
        }
        // What an alias repeats is counted before it is copied, so that a bomb of aliases costs nothing.
        let (nodes, bytes) = weight(node);
        if self.nodes + nodes > MAX_NODES || self.bytes + bytes > MAX_TEXT {
            return Err(too_big(span.start));
        }
        let node = node.clone();
        self.place(node, 0, nodes)
    }

    /// Puts a finished value where it belongs.
    fn place(&mut self, node: Node, anchor: usize, nodes: usize) -> Result<(), Fault> {
        self.nodes += nodes;
        self.bytes += node.text().map_or(0, str::len);
        if self.nodes > MAX_NODES || self.bytes > MAX_TEXT {
            return Err(too_big(node.at()));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), depth(&node)));
        }
        let Some(open) = self.open.last_mut() else {
            self.done.root = Some(node);
            return Ok(());
        };
        match (&mut open.kind, open.key.take()) {
            (Kind::List(items), _) => items.push(node),
            (Kind::Block(_), None) => open.key = Some(node),
            (Kind::Block(entries), Some(key)) => {
                if let Some(fault) = wrong_key(&mut open.seen, &key) {
                    self.done.faults.push(fault);
                } else {
                    entries.push((key, node));
                }
            }
            (Kind::Scalar(_), _) => {}
        }
        Ok(())
    }

    fn fault_tag(&mut self, at: usize) {
        let help = "Take out the word that begins with `!`.";
        self.done.faults.push(Fault::new(
            at,
            "yaml-tag",
            "A value with a `!` type has no meaning here.",
            help,
        ));
    }
}

/// A key that is no single word, or that the block has already.
fn wrong_key(seen: &mut HashMap<String, usize>, key: &Node) -> Option<Fault> {
    let Some(text) = key.text() else {
        let help = "Write one word, a colon, and the value after it.";
        return Some(Fault::new(
            key.at(),
            "bad-key",
            "A list or a block stands where a key should be.",
            help,
        ));
    };
    let Entry::Occupied(twin) = seen.entry(text.to_owned()) else {
        seen.insert(text.to_owned(), key.at());
        return None;
    };
    let sentence = format!("`{text}` stands twice in this block.");
    let mut fault =
        Fault::new(key.at(), "duplicate-key", sentence, "Keep one of the two and take the other out.");
    fault.other = Some(*twin.get());
    Some(fault)
}

fn depth(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar(_) => 0,
        Kind::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Kind::Block(entries) => 1 + entries.iter().map(|(_, v)| depth(v)).max().unwrap_or(0),
    }
}

/// How many values a node holds, itself included, and how much text.
fn weight(node: &Node) -> (usize, usize) {
    let sum =
        |all: &mut dyn Iterator<Item = &Node>| all.map(weight).fold((1, 0), |(n, b), (m, c)| (n + m, b + c));
    match &node.kind {
        Kind::Scalar(text) => (1, text.len()),
        Kind::List(items) => sum(&mut items.iter()),
        Kind::Block(entries) => sum(&mut entries.iter().flat_map(|(k, v)| [k, v])),
    }
}
