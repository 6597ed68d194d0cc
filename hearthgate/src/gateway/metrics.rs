//! Numbers for Prometheus. No person, device or host is in any of them.

use super::router::Rules;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use proxy::dns::Dns;
use proxy::http::Counters;
use proxy::resolver::{Resolver, UpstreamHealth};
use records::{Clock, ClockState, InForce, Records, Status};
use std::fmt;
use std::sync::Arc;

/// Where the numbers are read.
pub(crate) struct Numbers {
    pub(crate) dns: Arc<Dns>,
    pub(crate) proxy: Arc<Counters>,
    pub(crate) records: Arc<Records>,
    pub(crate) in_force: Arc<InForce>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) resolver: Resolver,
    pub(crate) rules: Arc<Rules>,
}

/// The route that Prometheus reads.
pub(crate) fn router(numbers: Arc<Numbers>) -> Router {
    Router::new().route("/metrics", get(scraped)).with_state(numbers)
}

async fn scraped(State(numbers): State<Arc<Numbers>>) -> impl IntoResponse {
    let status = numbers.records.status().await.ok();
    let mut registry = Registry::with_prefix("hearthgate");
    registry.register_collector(Box::new(Scrape { rows: numbers.rows(status) }));
    let mut text = String::new();
    // Writing into a string cannot fail; were it to, what stands there is still true.
    let _whole = prometheus_client::encoding::text::encode(&mut text, &registry);
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}

/// One number.
#[derive(Debug)]
struct Row {
    name: String,
    help: &'static str,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Grows(u64),
    Now(i64),
}

fn grows(name: impl Into<String>, help: &'static str, value: u64) -> Row {
    Row { name: name.into(), help, value: Value::Grows(value) }
}

fn now(name: &str, help: &'static str, value: impl TryInto<i64>) -> Row {
    Row { name: name.to_owned(), help, value: Value::Now(value.try_into().unwrap_or(i64::MAX)) }
}

impl Numbers {
    fn rows(&self, status: Option<Status>) -> Vec<Row> {
        let dns = self.dns.counters().all();
        let mut rows: Vec<Row> =
            dns.into_iter().map(|(name, help, value)| grows(format!("dns_{name}"), help, value)).collect();
        rows.extend(self.of_proxy());
        let turned = self.rules.turned_away();
        rows.extend(
            turned.sums().map(|(of, sum)| grows(format!("router_{}", of.row().key), of.row().sentence, sum)),
        );
        rows.extend(self.of_the_house());
        rows.extend(status.into_iter().flat_map(of_records));
        rows
    }

    fn of_proxy(&self) -> Vec<Row> {
        let c = &self.proxy;
        vec![
            grows("proxy_connections", "Client connections accepted", c.accepted.get()),
            now("proxy_connections_open", "Client connections open now", c.connections_open.get()),
            grows("proxy_plain", "Requests in absolute form", c.plain.get()),
            grows("proxy_connects", "CONNECT requests", c.connects.get()),
            grows("proxy_redirected", "Connections that the router redirected here", c.redirected.get()),
            grows("proxy_refused", "Requests refused by a verdict", c.refused.get()),
            grows("proxy_problems", "Requests answered with an error of the gateway", c.problems.get()),
            grows(
                "proxy_wrong_tokens",
                "Requests with a token that belongs to no device",
                c.wrong_tokens.get(),
            ),
            now("proxy_tunnels_open", "Tunnels open now", c.tunnels_open.get()),
            grows("proxy_cut", "Tunnels ended because a verdict changed", c.cut_by_verdict.get()),
            grows("proxy_names_refused", "Tunnels closed because of the name inside", c.names_refused.get()),
        ]
    }

    fn of_the_house(&self) -> Vec<Row> {
        let current = self.in_force.to_keep();
        let info = current.snapshot.catalogue.info();
        let UpstreamHealth { answering, silent, unknown } = self.resolver.upstream_health();
        let right = i64::from(self.clock.state() == ClockState::Right);
        vec![
            now("catalogue_names", "Names in the catalogue", info.names),
            now("catalogue_bytes", "Bytes of the catalogue", info.bytes),
            now(
                "catalogue_compiled_seconds",
                "When the catalogue was compiled, in seconds since 1970",
                info.built,
            ),
            now("generation", "How often what is in force was replaced", current.generation),
            now("upstreams_answering", "Upstream resolvers that answer", answering as u64),
            now("upstreams_silent", "Upstream resolvers that do not answer", silent as u64),
            now("upstreams", "Upstream resolvers", (answering + silent + unknown) as u64),
            now("clock_right", "1 while the clock can be believed", right),
        ]
    }
}

fn of_records(status: Status) -> Vec<Row> {
    vec![
        now("journal_entries", "Entries of the journal", status.journal.entries),
        now("recorder_queued", "Refusals that wait for the journal", status.queued),
        grows("recorder_shed", "Refusals dropped because too many came at once", status.shed),
        now("recorder_failing", "1 while the journal cannot be written", i64::from(status.failing.is_some())),
        now(
            "backup_age_seconds",
            "Seconds since the last good copy of the records; -1 where there was none",
            status.last_backup_seconds.map_or(-1, |seconds| i64::try_from(seconds).unwrap_or(i64::MAX)),
        ),
        now(
            "records_broken",
            "1 while the records cannot be used and everybody is on the baseline",
            i64::from(status.broken.is_some()),
        ),
    ]
}

/// The numbers of one scrape.
#[derive(Debug)]
struct Scrape {
    rows: Vec<Row>,
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for Row { name, help, value } in &self.rows {
            let help = help.trim_end_matches('.');
            match value {
                Value::Grows(value) => {
                    let counter = ConstCounter::new(*value);
                    let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
                    counter.encode(metric)?;
                }
                Value::Now(value) => {
                    let gauge = ConstGauge::new(*value);
                    let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
                    gauge.encode(metric)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_is_what_prometheus_reads() {
        let mut registry = Registry::with_prefix("hearthgate");
        let rows =
            vec![grows("dns_refused", "Questions refused.", 3), now("clock_right", "1 while right", 1_i64)];
        registry.register_collector(Box::new(Scrape { rows }));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("written");
        assert_eq!(
            text,
            "# HELP hearthgate_dns_refused Questions refused\n# TYPE hearthgate_dns_refused counter\n\
             hearthgate_dns_refused_total 3\n# HELP hearthgate_clock_right 1 while right\n\
             # TYPE hearthgate_clock_right gauge\nhearthgate_clock_right 1\n# EOF\n"
        );
    }
}
