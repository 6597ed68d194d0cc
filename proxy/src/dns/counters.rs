//! What happened, in numbers. No name of a person, device or host is in any of them.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($name:ident, $doc:literal;)*) => {
        /// Numbers of the DNS listeners since the start. They only ever grow.
        #[derive(Debug, Default)]
        pub struct Counters {
            $(#[doc = $doc] pub $name: AtomicU64,)*
        }

        impl Counters {
            /// Each number with its name and what it says, in a fixed order.
            pub fn all(&self) -> Vec<(&'static str, &'static str, u64)> {
                vec![$((stringify!($name), $doc, self.$name.load(Ordering::Relaxed)),)*]
            }
        }
    };
}

counters! {
    queries_udp, "Messages that came over UDP.";
    queries_tcp, "Messages that came over TCP.";
    queries_other, "Messages that came over TLS or HTTPS.";
    malformed, "Messages that were no well-formed question.";
    limited, "Questions beyond a client's rate limit.";
    local, "Questions answered without judging: special names, the gateway's own.";
    refused, "Questions refused.";
    answers_refused, "Answers refused because of a name that they lead to.";
    rebinding, "Answers refused because they point into the home's network.";
    ech, "Answers told without the key that hides a site's name (Encrypted Client Hello).";
    safe_search, "Questions answered with a search engine's safe host.";
    cache_hits, "Questions answered from the cache.";
    cache_misses, "Questions that an upstream was asked.";
    stale, "Questions answered with an answer whose time was over.";
    prefetched, "Answers fetched again before their time was over.";
    failed, "Questions that could not be answered.";
    shed, "Questions dropped because too many waited.";
    connections_refused, "Connections closed because there were too many.";
    handshakes_failed, "TLS connections that came to nothing before a question.";
    wrong_tokens, "Tokens shown inside TLS that belong to no device, and those that were not looked at after too many of these.";
    bad_requests, "HTTPS requests that were none for DNS.";
}

/// One more.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
