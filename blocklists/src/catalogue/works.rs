//! Questions, and parts of them, as work that is compiled for two kinds of processors.

use super::Catalogue;
use super::ask::Asked;
use super::lanes::{Lanes, Work};
use super::memory::Line;
use crate::{Name, Tags};

macro_rules! works {
    ($($(#[$meaning:meta])* $work:ident($($part:ident: $type:ty),*) -> $output:ty: |$self:ident, $lanes:ident| $what:expr;)*) => {
        $($(#[$meaning])*
        pub(super) struct $work<'a> {
            pub(super) catalogue: &'a Catalogue,
            $(pub(super) $part: $type),*
        }

        impl<'a> Work for $work<'a> {
            type Output = $output;

            #[inline(always)]
            fn with<L: Lanes>($self, $lanes: L) -> $output {
                $what
            }
        })*
    };
}

works! {
    /// A question.
    Whole(name: &'a [u8]) -> Tags: |self, lanes| {
        let asked = self.catalogue.ask(lanes, self.name);
        self.catalogue.prefetch_next(&asked);
        // What is rarer is not inlined, so that nearly all questions need little room.
        match self.catalogue.line(asked.home).map(|line| self.catalogue.first_look(lanes, self.name, &asked, line)) {
            None | Some((0, false)) => Tags::NONE,
            Some((matching, goes_on)) => self.catalogue.found_alone(self.name, asked, matching, goes_on),
        }
    };
    /// Its beginning.
    Begin(name: &'a [u8]) -> Asked: |self, lanes| self.catalogue.ask(lanes, self.name);
    /// Its beginning where top-level domains are listed, but not its own.
    BelowTop(name: &'a [u8]) -> Asked: |self, lanes| self.catalogue.ask_below_top(lanes, self.name);
    /// Its end.
    End(name: &'a [u8], asked: Asked) -> Tags: |self, lanes| self.catalogue.tags(lanes, self.name, &self.asked);
    /// Its end where the first look found something.
    Found(name: &'a [u8], asked: Asked, matching: u32, goes_on: bool) -> Tags: |self, lanes| {
        match self.catalogue.line(self.asked.home) {
            Some(line) => self.catalogue.found(lanes, self.name, &self.asked, line, self.matching, self.goes_on),
            None => Tags::NONE,
        }
    };
    /// Its end where one look is not enough.
    Later(name: &'a [u8], asked: Asked, line: &'a Line, matching: u32) -> Tags: |self, lanes|
        self.catalogue.in_chain(lanes, self.name, &self.asked, self.line, self.matching);
    /// Several.
    Many(names: &'a [Name<'a>], tags: &'a mut [Tags]) -> (): |self, lanes| self.catalogue.answer_many(lanes, self.names, self.tags);
}
