//! A refusal: recorded, and said in the form that the client can show.

use super::answer::{self, Body};
use super::{No, Proxy};
use crate::gate::{Gate, Page, Want, Who};
use crate::identify::Shown;
use crate::target::TargetHost;
use crate::tunnel::{Asked, Asker};
use agreements::{Detector, Evidence, Request, Verdict};
use hyper::header::HeaderValue;
use hyper::{Response, StatusCode};
use records::Current;
use std::sync::Arc;

/// Everything that a refusal page needs.
pub(crate) struct Refused {
    current: Arc<Current>,
    who: Who,
    asked: Asked,
}

impl Proxy {
    /// Records a refusal. The recorder drops what may not be written down; and nothing is told of an address that a protected name
    /// led to.
    pub(crate) fn refuse(
        &self,
        (asker, who): (&Asker, Who),
        current: &Arc<Current>,
        asked: Asked,
        verdict: Verdict,
        evidence: Evidence,
    ) -> Refused {
        self.refuse_as((asker, who), current, asked, verdict, (evidence, None))
    }

    /// Whether a way around the gateway that a client began may go on to there. A refusal is recorded as what was heard.
    pub(crate) fn admits_around(&self, asker: &Asker, asked: Asked, heard: Detector) -> bool {
        let current = self.gate.in_force.to_keep();
        let who = asker.who(&self.gate, &current);
        let verdict = asked.judge_around(&self.gate, &current, &who);
        if !verdict.allows() {
            self.counters.refused_inside(&asked.host);
            let seen = (Evidence::Connection, Some(heard));
            let _no_page = self.refuse_as((asker, who), &current, asked, verdict, seen);
        }
        verdict.allows()
    }

    fn refuse_as(
        &self,
        (asker, who): (&Asker, Who),
        current: &Arc<Current>,
        asked: Asked,
        verdict: Verdict,
        (evidence, detected): (Evidence, Option<Detector>),
    ) -> Refused {
        self.counters.refused.add(1);
        let shown = Shown::bare(asker.address);
        let is_told = !self.gate.is_a_guess(current, &who, &shown, verdict.rule)
            && !self.gate.is_where_help_is(current, &who, asker.address, &asked.host);
        if is_told {
            self.gate.recorder.refused(&records::Refused {
                at: self.gate.clock.now(),
                current,
                who: who.person,
                device: who.device,
                identified: who.identified,
                stranger: who.stranger,
                host: asked.host.judged(),
                verdict,
                evidence: self.strengthened(asker, &asked, evidence),
                detected,
            });
        }
        Refused { current: Arc::clone(current), who, asked }
    }

    /// Opening a page again after its refusal was shown is stronger evidence than opening it.
    fn strengthened(&self, asker: &Asker, asked: &Asked, evidence: Evidence) -> Evidence {
        let (Evidence::Navigation, TargetHost::Name(name)) = (evidence, &asked.host) else { return evidence };
        let site = name.name().registrable().to_domain();
        let again = self.memory.page_shown(asker.address, site, self.gate.clock.steady());
        if again { Evidence::Repeated } else { evidence }
    }
}

impl Refused {
    /// The refusal as a page, for a reader of these languages.
    pub(crate) fn page(&self, gate: &Gate, want: Want, language: Option<&HeaderValue>) -> Page {
        let Self { current, who, asked } = self;
        let host = asked.host.judged();
        let judge = |path: &str| gate.judge(current, who, host, Some(path));
        let path = asked.path.as_ref().map(|path| path.judge(judge).1);
        refusal_page(gate, current, who, (host, path), (want, language))
    }

    /// The refusal as an answer.
    pub(crate) fn answer(&self, gate: &Gate, want: Want, language: Option<&HeaderValue>) -> Response<Body> {
        let page = self.page(gate, want, language);
        answer::page(StatusCode::FORBIDDEN, page.content_type, page.body)
    }
}

impl From<Refused> for No {
    fn from(refused: Refused) -> Self {
        Self::Refused(Box::new(refused))
    }
}

/// The page that says why somebody is refused a host now, in the form wanted. Nothing is recorded.
pub fn refusal_page(
    gate: &Gate,
    current: &Current,
    who: &Who,
    (host, path): (agreements::Host<'_>, Option<&str>),
    (want, language): (Want, Option<&HeaderValue>),
) -> Page {
    let tags = current.snapshot.tags(host);
    let person = gate.person(who);
    let request = Request { host, tags, path };
    let standing = current.standing.on(who.device);
    let explanation = current.snapshot.house.explain(person, gate.clock.now(), &request, &standing);
    (gate.pages)(current, who, &explanation, want, language)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Config;
    use crate::router::play::{Home, JORDAN, Play, SAM, site};
    use std::net::IpAddr;

    /// Every way to ask for an address: what shows no name there, what is a way around, a page by number.
    fn tries(proxy: &Proxy, from: IpAddr, to: IpAddr) {
        let asker = Asker { address: from, token: None };
        let host = TargetHost::Address(to);
        for evidence in [Evidence::Connection, Evidence::Navigation] {
            assert!(proxy.admit(asker.clone(), Asked::host(host.clone()), evidence).is_err());
        }
        assert!(!proxy.admits_around(&asker, Asked::host(host), Detector::OpenVpn));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_is_recorded_of_an_address_that_a_protected_name_led_to() {
        let play = Play::new([JORDAN, SAM]);
        let home = Home::of(&play).await;
        let proxy = Proxy::new(home.gate.clone(), Config::default());
        let [help, shared, open] = [1, 2, 3].map(site);
        play.connects("help.test", JORDAN.0, help);
        // Another site stands at the same address.
        play.connects("help.test", JORDAN.0, shared);
        play.connects("open.test", JORDAN.0, shared);
        play.connects("open.test", JORDAN.0, open);
        for to in [help, shared, open] {
            tries(&proxy, JORDAN.0, to);
        }
        // No name of Sam's led there.
        tries(&proxy, SAM.0, help);
        drop(proxy);
        let mut told: Vec<_> = home.episodes().await.into_iter().map(|e| (e.person, e.site)).collect();
        told.dedup();
        let told: Vec<_> = told.iter().map(|(person, site)| (person.as_str(), site.as_str())).collect();
        assert_eq!(told, [("jordan", "11.0.0.3"), ("sam", "11.0.0.1")]);
    }
}
