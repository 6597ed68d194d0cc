//! The list of names in each peer's own language.

use crate::Done;
use crate::peers::List;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

/// The head of a response policy zone.
const RPZ: &str = "$TTL 3600\n@ IN SOA ns.rpz.test. host.rpz.test. 1 3600 600 86400 60\n@ IN NS ns.rpz.test.\nns IN A 127.0.0.1\n";

/// Writes a list into the folder of the lists, unless it is there.
pub(crate) fn write(list: List, folder: &Path) -> Done {
    let (file, source) = match list {
        List::Unbound => ("unbound.conf", "list.txt"),
        List::Rpz => ("rpz.zone", "list.txt"),
        List::Dnsmasq => ("dnsmasq.conf", "list.txt"),
        List::Squid => ("squid.txt", "tops.txt"),
    };
    let path = folder.join(file);
    if path.exists() {
        return Ok(());
    }
    let mut out = BufWriter::new(File::create(path)?);
    if list == List::Rpz {
        out.write_all(RPZ.as_bytes())?;
    }
    for name in BufReader::new(File::open(folder.join(source))?).lines() {
        let name = name?;
        match list {
            List::Unbound => writeln!(out, "local-zone: \"{name}.\" always_nxdomain")?,
            List::Rpz => writeln!(out, "{name} CNAME .\n*.{name} CNAME .")?,
            List::Dnsmasq => writeln!(out, "local=/{name}/")?,
            List::Squid => writeln!(out, ".{name}")?,
        }
    }
    Ok(out.flush()?)
}
