//! The form that the tables share: one host a line, columns after it, `#` for comments.

/// One row: a host and what the table says of it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The host, without the `=` of an exact one.
    pub(super) name: &'static str,
    /// Whether everything below the host is meant too.
    pub(super) whole_site: bool,
    /// The columns after the host.
    pub(super) columns: Vec<&'static str>,
}

impl Row {
    fn read(line: &'static str) -> Self {
        let mut columns = line.split('\t');
        let host = columns.next().unwrap_or_default();
        let (name, whole_site) = match host.strip_prefix('=') {
            Some(exact) => (exact, false),
            None => (host, true),
        };
        Self { name, whole_site, columns: columns.collect() }
    }

    /// The first column after the host, which most tables keep for the kind of host.
    pub(super) fn kind(&self) -> &'static str {
        self.columns.first().copied().unwrap_or_default()
    }
}

/// The rows of a table, in order.
pub(super) fn rows(text: &'static str) -> impl Iterator<Item = Row> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(Row::read)
}

/// The hosts of a service's block: a whole site, or an exact host after `full:`.
pub(super) fn service_sites(block: &'static str) -> impl Iterator<Item = (&'static str, bool)> {
    let lines = block.lines().skip(1).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter(|line| !line.starts_with("categories: ")).map(|line| match line.strip_prefix("full:") {
        Some(exact) => (exact, false),
        None => (line, true),
    })
}
