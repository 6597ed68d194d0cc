//! Where publishers are: asked of the home's own upstreams.
//!
//! The machine's own resolver may be this very gateway, for which the machine is an unknown device: then a list's publisher
//! would be as closed as any site. Names that the upstreams do not know (the home's own file server, `/etc/hosts`) are left to
//! the machine.

use blocklists::Domain;
use proxy::resolver::{Resolver, Unresolved};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

/// Finds publishers' addresses. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    by: Arc<Mutex<Option<Resolver>>>,
}

impl Names {
    /// From now on this resolver is asked. Before there is one the machine is.
    pub(crate) fn ask(&self, resolver: Resolver) {
        *self.by.lock().unwrap_or_else(PoisonError::into_inner) = Some(resolver);
    }

    /// The addresses of a name, by the home's own upstreams where there are some.
    pub(crate) async fn find(
        &self,
        name: &str,
    ) -> Result<Vec<IpAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let by = self.by.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let (Some(resolver), Ok(domain)) = (by, Domain::parse(name)) {
            match resolver.addresses_for_the_gateway(domain.name()).await {
                Ok(addresses) => return Ok(addresses),
                Err(Unresolved::Rebinding) => return Err("its name leads into the home's own network".into()),
                Err(Unresolved::NoSuchName | Unresolved::Upstream | Unresolved::Refused(..)) => {}
            }
        }
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let names = self.clone();
        Box::pin(async move {
            let found = names.find(name.as_str()).await?;
            // The port is the address's own: zero stands for it.
            let found: Addrs = Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(found)
        })
    }
}
