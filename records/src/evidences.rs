//! What in the law an episode is evidence of: the Children's Homes (England) Regulations 2015 (SI 2015/541).

use agreements::Rule;

/// The regulations that an episode of a rule is about, in their order. Every one is about keeping a child safe (12); some tell
/// of health and sleep (10), of learning (8), of contact that was restricted (22), of what may have to be notified (40), and
/// what a young person told by themselves of their wishes and feelings (7).
pub(crate) fn regulations(rule: Rule, reported: bool) -> Vec<&'static str> {
    let about: &[&'static str] = match rule {
        Rule::Online | Rule::Limit => &["reg 10", "reg 12"],
        Rule::SchoolHours | Rule::EducationSession => &["reg 8", "reg 12"],
        Rule::Restriction => &["reg 12", "reg 22"],
        Rule::Sealed => &["reg 12", "reg 40"],
        Rule::Protected
        | Rule::Floor
        | Rule::Grant
        | Rule::PrivateMail
        | Rule::Site
        | Rule::Service
        | Rule::Category
        | Rule::Otherwise
        | Rule::Baseline
        | Rule::EmailOnly => &["reg 12"],
    };
    let told = reported.then_some("reg 7");
    told.into_iter().chain(about.iter().copied()).collect()
}
