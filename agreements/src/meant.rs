//! A home as it is meant: every value here is valid, whatever was written.
//!
//! The reading side (`read`) builds these values; the deciding side (`house`) only uses them.

use crate::ports::Ports;
use crate::source::SourceId;
use crate::word::Word;
use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use std::net::IpAddr;

/// A home's people and rules, as meant.
#[derive(Clone, Debug)]
pub struct Home {
    /// Its name (`Oakview House`).
    pub name: String,
    /// The zone of every wall-clock time in its files.
    pub timezone: Tz,
    /// When daily limits start again.
    pub day_starts: NaiveTime,
    /// Handover times, in order.
    pub shifts: Vec<NaiveTime>,
    /// School.
    pub school: School,
    /// The floor.
    pub everyone: Everyone,
    /// What the home adds to the protected sets.
    pub protected: ProtectedSites,
    /// What applies where no agreement does.
    pub baseline: Baseline,
    /// What an unknown device gets.
    pub unknown_devices: UnknownDevices,
    /// List subscriptions.
    pub lists: Vec<ListSource>,
    /// Console accounts.
    pub staff: Vec<Staff>,
    /// Whom to tell.
    pub notify: Vec<Notify>,
    /// How long records stay.
    pub keep: Keep,
    /// After how many minutes in which nobody does anything the desk signs somebody out.
    pub desk_idle: u16,
    /// Whom the home reaches about a safeguarding concern, in order.
    pub safeguarding: Vec<Contact>,
    /// After so many days a young person's device is to be looked at together again; none where the home says nothing of it.
    pub inspect_every: Option<u32>,
    /// Networks inside the home that gateway.yaml opens (`home_network`): address and prefix length. What stands there is no
    /// way around names.
    pub home_network: Vec<(IpAddr, u8)>,
    /// Everybody with an agreement file, in order of id.
    pub people: Vec<Person>,
}

/// When there is school.
#[derive(Clone, Debug, Default)]
pub struct School {
    /// The hours of each day of the week, Monday first; at most a few windows a day, none across midnight.
    pub hours: [Vec<(NaiveTime, NaiveTime)>; 7],
    /// Terms, both ends included.
    pub terms: Vec<(NaiveDate, NaiveDate)>,
    /// INSET days and other days without school.
    pub days_off: Vec<NaiveDate>,
    /// Whose bank holidays count.
    pub bank_holidays: Option<Nation>,
    /// Where `calendar` points, if anywhere: a file of the home's folder, or an http(s) URL.
    pub calendar: Option<String>,
}

/// A nation with bank holidays of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nation {
    /// England.
    England,
    /// Wales.
    Wales,
    /// Scotland.
    Scotland,
    /// Northern Ireland.
    NorthernIreland,
}

/// How strictly search engines are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum SafeSearch {
    /// Not at all.
    #[default]
    Off,
    /// Moderate, where the engine has it.
    Moderate,
    /// Strict.
    Strict,
}

/// The floor, which no agreement loosens.
#[derive(Clone, Debug, Default)]
pub struct Everyone {
    /// What is blocked for everyone, each word with its line.
    pub block: Vec<(Word, SourceId)>,
    /// Search is never looser than this.
    pub safe_search: SafeSearch,
    /// The line of `safe_search`; none where the home wrote none.
    pub safe_search_source: Option<SourceId>,
}

/// What a home adds to the protected sets. Words are sites or hosts.
#[derive(Clone, Debug, Default)]
pub struct ProtectedSites {
    /// Helplines and the like.
    pub support: Vec<(Word, SourceId)>,
    /// Private mail.
    pub private_mail: Vec<(Word, SourceId)>,
    /// Communication aids.
    pub assistive: Vec<(Word, SourceId)>,
}

/// What applies to unknown devices, drafts, and when the clock is unknown.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// When it is online.
    pub online: DayTable<Vec<Window>>,
    /// Its words, as an agreement's.
    pub words: Vec<Ruling>,
    /// What nobody mentioned.
    pub otherwise: Ruled,
    /// The line of `otherwise`, or of `baseline`; none when built in.
    pub source: Option<SourceId>,
}

/// What an unknown device gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownDevices {
    /// The page to sign in at and what is protected, until someone signs in.
    #[default]
    SignIn,
    /// The baseline.
    Baseline,
    /// Nothing but what is protected.
    Block,
}

/// One list that the home subscribes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSource {
    /// Where it comes from: an http(s) URL, or a path inside the home's folder.
    pub from: String,
    /// The category of all its names, unless `categories` says more.
    pub category: Option<blocklists::Category>,
    /// For lists with categories of their own (UT1): theirs to ours.
    pub categories: Vec<(String, blocklists::Category)>,
    /// The format as written (`ut1`), else recognised from the content.
    pub format: Option<String>,
    /// How often it is fetched.
    pub refresh: chrono::Duration,
    /// Whether nobody may see or loosen it.
    pub sealed: bool,
    /// Its line.
    pub source: SourceId,
}

/// Somebody whom the home reaches about a safeguarding concern (seed 003 §4.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Who (`Designated lead, R. Osei`).
    pub who: String,
    /// How they are reached (`0113 496 0000, day and night`).
    pub reach: String,
}

/// A console account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// The id used in records (`k.lane`).
    pub id: String,
    /// The name people see.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// What a console account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything a home decides.
    Manager,
    /// The shift's work.
    Staff,
    /// Read only, redacted (Reg 44 visitor, social worker).
    Visitor,
    /// The network, not the children.
    It,
}

/// Whom to tell, of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// Severities, rules' words or kinds of event.
    pub when: Vec<String>,
    /// `mailto:`, an http(s) URL, or `ntfy:` and one.
    pub to: String,
    /// When what is not serious waits until it is over: from one time of the home's clock to another, past midnight if the
    /// second is the earlier.
    pub quiet: Option<(NaiveTime, NaiveTime)>,
}

/// How long records stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Breach episodes, in days.
    pub breaches: u32,
    /// Minutes, in days.
    pub minutes: u32,
    /// What monitoring beyond breaches wrote, in days.
    pub monitoring: u32,
}

/// A person's agreement (or a shared device's), as meant.
#[derive(Clone, Debug)]
pub struct Person {
    /// The file's name without `.yaml`: the id used everywhere.
    pub id: String,
    /// The name that staff and they see.
    pub name: String,
    /// Who they are.
    pub kind: PersonKind,
    /// Which of the three profiles.
    pub profile: Profile,
    /// The file's first line that says who it is.
    pub source: SourceId,
    /// Why the baseline applies instead of this agreement, if it does.
    pub draft: Option<Draft>,
    /// What was agreed by whom.
    pub agreed: Agreed,
    /// Where they learn.
    pub education: Education,
    /// Their devices.
    pub devices: Vec<DeviceMatch>,
    /// Where a shared device may go beside what names open to it; never anybody's own.
    pub any_address_on: Option<AnyAddressOn>,
    /// When they are online.
    pub online: DayTable<Vec<Window>>,
    /// When their day ends: minutes after the day's midnight (a bedtime before noon is after the next midnight: > 1440).
    pub bedtime: DayTable<u16>,
    /// Their limits. At most 63.
    pub limits: Vec<Limit>,
    /// `allow`, `ask`, `with_staff`, `block`.
    pub words: Vec<Ruling>,
    /// What nobody mentioned.
    pub otherwise: Ruled,
    /// The line of `otherwise`; the person's line when it was not written.
    pub otherwise_source: SourceId,
    /// What school hours leave open.
    pub school_hours: SchoolHours,
    /// The line of `school_hours`; the person's line when it was not written.
    pub school_hours_source: SourceId,
    /// Added to the education category for this person.
    pub education_sites: Vec<(Word, SourceId)>,
    /// How strictly search is held: never looser than the home's.
    pub safe_search: SafeSearch,
    /// The line of `safe_search`; the person's line when it was not written.
    pub safe_search_source: SourceId,
    /// What is recorded beyond breaches.
    pub monitoring: Monitoring,
    /// What no network can enforce.
    pub behaviour: Vec<String>,
    /// Whom to tell.
    pub tell_someone: Option<String>,
    /// What is suggested to staff.
    pub consequences: Vec<Consequence>,
}

/// Who an agreement is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PersonKind {
    /// A young person.
    #[default]
    YoungPerson,
    /// A member of staff. No school hours.
    Staff,
    /// A visitor. No school hours.
    Visitor,
    /// A device that several share.
    Device,
}

/// The three profiles of seed 003.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// An agreement of its own (§4).
    #[default]
    Agreement,
    /// Private mail and nothing else (§7.3).
    EmailOnly,
    /// A device that works only inside an education session (§7.4-7.5).
    EducationSession,
}

/// Why an agreement is not yet in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Draft {
    /// What is missing, in words (`a risk assessment`).
    Missing(Vec<&'static str>),
    /// The file has errors, or is not there to be read, and was never good since the start.
    Unusable,
    /// The home's own file is missing or has errors: nobody can be given what was agreed.
    HomeUnusable,
    /// The gateway cannot read its records: what was restricted and what has been used is not known.
    NoRecords,
}

/// Who agreed, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    /// Reference, date and level of the risk assessment.
    pub risk_assessment: Option<RiskAssessment>,
    /// When the agreement is looked at again, with its line.
    pub review_by: Option<(NaiveDate, SourceId)>,
    /// When it was drawn up with the young person.
    pub young_person_on: Option<NaiveDate>,
    /// What they said.
    pub young_person_view: Option<String>,
    /// Name, authority and date.
    pub social_worker: Option<(String, String, NaiveDate)>,
    /// Name and date.
    pub home_manager: Option<(String, NaiveDate)>,
}

/// The internet access risk assessment (seed 003 §4.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RiskAssessment {
    /// Its reference in the home's case records.
    pub reference: String,
    /// Its date.
    pub on: NaiveDate,
    /// `low`, `medium` or `high`.
    pub level: Option<String>,
}

/// Where a young person learns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Education {
    /// At school in school hours.
    #[default]
    School,
    /// At home.
    Home,
    /// Not in education (seed 003 §4.9).
    None,
}

/// What `school_hours` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchoolHours {
    /// Education sites only.
    EducationOnly,
    /// Education sites, and only while a member of staff has a session open.
    WithStaff,
    /// The agreement as at any other time.
    AsAgreed,
    /// Nothing but what is protected.
    Offline,
}

/// How a device is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceMatch {
    /// The device's name (`phone`).
    pub name: String,
    /// By what.
    pub by: DeviceBy,
    /// Its line.
    pub source: SourceId,
}

/// On which ports a shared device (a games console, a television) may reach any address, also one that no name led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnyAddressOn {
    /// The ports.
    pub ports: Ports,
    /// The same, as the file has it.
    pub written: Vec<String>,
    /// Its line.
    pub source: SourceId,
}

/// What a device is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DeviceBy {
    /// Its hardware address.
    Mac([u8; 6]),
    /// Its address.
    Ip(IpAddr),
    /// A network of its own: address and prefix length.
    Network(IpAddr, u8),
    /// DoT server name label, DoH path, or proxy user name.
    Token(String),
}

/// A window of one day: minutes after that day's midnight. `end` may run past 1440 (into the next day), `start` is below 1440.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// When it opens.
    pub start: u16,
    /// When it closes; greater than `start`.
    pub end: u16,
}

/// Which days an entry is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Days {
    /// One date.
    Date(NaiveDate),
    /// A range of dates, both included.
    Range(NaiveDate, NaiveDate),
    /// A day whose next day is a school day.
    SchoolNights,
    /// A day with school in it.
    SchoolDays,
    /// Monday to Friday with no school.
    Holidays,
    /// Named days of the week: bit 0 is Monday.
    Named(u8),
    /// Monday to Friday.
    Weekdays,
    /// Saturday and Sunday.
    Weekends,
    /// Every day.
    EveryDay,
}

/// A value by day. The most specific entry gives the whole day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayTable<T> {
    /// The entries as written, each with its line. No two of equal rank share a day.
    pub entries: Vec<(Days, T, SourceId)>,
}

/// What a limit counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LimitKey {
    /// Everything that is counted.
    Everything,
    /// A site, a host, a service or a category. Never a path.
    Word(Word),
}

/// Minutes a day, by day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What it counts.
    pub key: LimitKey,
    /// How many minutes.
    pub minutes: DayTable<u16>,
    /// Its line.
    pub source: SourceId,
}

/// What the agreement says of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The word.
    pub word: Word,
    /// What is said of it.
    pub ruled: Ruled,
    /// Its line.
    pub source: SourceId,
}

/// `allow`, `ask`, `with_staff`, `block`.
pub type Ruled = crate::verdict::Outcome;

/// What is recorded beyond breaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Monitoring {
    /// How much.
    pub level: MonitoringLevel,
    /// The last day on which more than breaches is recorded.
    pub until: Option<NaiveDate>,
    /// Why.
    pub reason: Option<String>,
    /// Who authorised it.
    pub authorised_by: Option<String>,
    /// When the young person was told.
    pub told_on: Option<NaiveDate>,
}

/// How much is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MonitoringLevel {
    /// Breaches only.
    #[default]
    Breaches,
    /// Minutes by category.
    Categories,
    /// Minutes by site.
    Sites,
}

/// A consequence that is suggested to staff when reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consequence {
    /// How many episodes.
    pub count: u32,
    /// Of what: `breaches`, a severity, a rule's word or `circumvention`.
    pub of: String,
    /// In how many days.
    pub days: u32,
    /// What is suggested.
    pub suggest: String,
    /// Its line.
    pub source: SourceId,
}
